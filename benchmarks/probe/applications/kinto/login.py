"""usage: login.py BASE -> JSON: two users of Kinto; its Swagger 2.0 is converted here."""

from __future__ import annotations

import base64
import json
import secrets
import sys
import tempfile
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from swagger import openapi  # the folder of the applications is no package


def call(url: str, method: str = "GET", body: dict | None = None) -> dict:
    data = json.dumps(body).encode() if body else None
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def main() -> None:
    base = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:9351"
    file = Path(tempfile.mkdtemp(), "openapi.json")
    swagger = call(base + "/v1/__api__")
    file.write_text(json.dumps(openapi(swagger, base), indent=1))
    out: dict = {"base": base, "openapi": str(file), "tenants": {}}
    for name in "AB":
        user, password = f"{name.lower()}{secrets.token_hex(3)}", "Passw0rd!xx"
        if "/accounts/{id}" in swagger["paths"]:
            call(f"{base}/v1/accounts/{user}", "PUT", {"data": {"password": password}})
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        out["tenants"][name] = {"headers": {"Authorization": f"Basic {basic}"}}
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
