"""usage: login.py BASE -> JSON: two users of MLflow, each with an experiment of its own

They are two of the sixty that start.sh makes. describe.py makes the description, in the environment
that start.sh made for the version.
"""

from __future__ import annotations

import base64
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

LAB = Path(os.environ.get("LAB", "/tmp/lab"))  # noqa: S108  # start.sh's own folder


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def call(url: str, headers: dict, body: dict | None = None) -> bytes:
    data = json.dumps(body).encode() if body else None
    headers = {"Content-Type": "application/json", **headers}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as answer:
        return answer.read()


def main() -> None:
    base = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:9341"
    admin = basic("admin", "password1234")
    version = call(base + "/version", admin).decode()
    file = Path(tempfile.mkdtemp(), "openapi.json")
    python = LAB / f"mlflow-{version}" / "bin" / "python"
    describe = Path(__file__).resolve().with_name("describe.py")
    quiet = {
        **os.environ,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "1",
        "MLFLOW_TRACKING_URI": base,
    }
    subprocess.run([python, describe, base, file], check=True, cwd=file.parent, env=quiet)
    out: dict = {"base": base, "openapi": str(file), "tenants": {}}
    for name, number in zip("AB", random.sample(range(60), 2), strict=True):
        user = f"tenant{number}"
        headers = basic(user, "Passw0rd!xx12")
        body = {"name": f"experiment of {user} {secrets.token_hex(3)}"}
        made = json.loads(call(base + "/api/2.0/mlflow/experiments/create", headers, body))
        own = {"experiment_id": made["experiment_id"], "username": user}
        out["tenants"][name] = {"headers": headers, "own": own}
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
