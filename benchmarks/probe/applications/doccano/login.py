"""usage: login.py BASE -> JSON: two users of doccano, each with a token and a project of its own

They are two of the sixty that start.sh makes. The description is Swagger 2.0: converted here.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from swagger import openapi  # the folder of the applications is no package


def call(url: str, token: str = "", body: dict | None = None) -> dict:
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Token {token}"
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as answer:
        return json.load(answer)


def main() -> None:
    base = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:9331"
    file = Path(tempfile.mkdtemp(), "openapi.json")
    out: dict = {"base": base, "openapi": str(file), "tenants": {}}
    token = ""
    for name, number in zip("AB", random.sample(range(60), 2), strict=True):
        who = {"username": f"tenant{number}", "password": "Passw0rd!xx"}
        token = call(base + "/v1/auth/login/", body=who)["key"]
        project = call(
            base + "/v1/projects",
            token,
            {
                "name": f"Project of {who['username']}",
                "description": f"Of {who['username']}",
                "project_type": "DocumentClassification",
                "resourcetype": "TextClassificationProject",
            },
        )
        out["tenants"][name] = {
            "headers": {"Authorization": f"Token {token}"},
            "own": {"project_id": project["id"]},
        }
    swagger = call(base + "/swagger/?format=openapi", token)
    file.write_text(json.dumps(openapi(swagger, base), indent=1))
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
