"""Make two organizations of Letta, one user each, and print what the probe's configuration needs.

    python login.py http://127.0.0.1:9221

The server believes the header `user_id`. The handles of models are what an agent can't do without.
"""

from __future__ import annotations

import json
import secrets
import sys
from typing import Any
from urllib.request import Request, urlopen


def post(url: str, body: dict[str, Any]) -> Any:
    """Give what the server answers to one request."""
    headers = {"Content-Type": "application/json"}
    request = Request(url, json.dumps(body).encode(), headers)
    with urlopen(request, timeout=60) as response:
        return json.load(response)


def user(base: str, name: str) -> dict[str, Any]:
    """Make one organization and its user."""
    named = {"name": f"{name}-{secrets.token_hex(3)}"}
    organization = post(f"{base}/v1/admin/orgs/", named)["id"]
    made = post(f"{base}/v1/admin/users/", named | {"organization_id": organization})
    own = {"model": "letta/letta-free", "embedding": "letta/letta-free"}
    return {"headers": {"user_id": made["id"]}, "own": own}


if __name__ == "__main__":
    base = sys.argv[1].rstrip("/")
    tenants = {name: user(base, name) for name in ("acme", "globex")}
    print(json.dumps({"base": base, "openapi": f"{base}/openapi.json", "tenants": tenants}))
