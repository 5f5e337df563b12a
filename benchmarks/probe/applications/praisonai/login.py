"""Sign two tenants up, each with a workspace of its own: login.py BASE prints them as JSON."""

from __future__ import annotations

import json
import secrets
import sys
import urllib.request
from typing import Any


def post(base: str, path: str, body: dict[str, str], token: str = "") -> Any:
    """The JSON that the API answers."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    asked = urllib.request.Request(base + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return json.load(answer)


def main(base: str) -> None:
    """Print both tenants."""
    tenants = {}
    for name in ("acme", "globex"):
        tag = f"{name}{secrets.token_hex(3)}"
        person = {"email": f"{tag}@example.com", "password": "Passw0rd!xx", "name": tag}
        token = post(base, "/api/v1/auth/register", person)["token"]
        workspace = post(base, "/api/v1/workspaces/", {"name": tag, "slug": tag}, token)
        tenants[name] = {
            "headers": {"Authorization": f"Bearer {token}"},
            "own": {"workspace_id": workspace["id"]},
        }
    print(json.dumps({"base": base, "openapi": f"{base}/openapi.json", "tenants": tenants}))


main(sys.argv[1])
