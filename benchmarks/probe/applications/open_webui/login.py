"""Sign two users of Open WebUI up and print what the probe's configuration needs.

    python login.py http://127.0.0.1:9211

Whoever comes first is the administrator; he opens one channel for everybody, as tenants can't.
"""

from __future__ import annotations

import json
import secrets
import sys
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

PASSWORD = "Passw0rd!xx"  # noqa: S105 - of a user in a store that is thrown away


def post(url: str, body: dict[str, Any], token: str = "") -> Any:
    """Give what the server answers to one request."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = Request(url, json.dumps(body).encode(), headers)
    with urlopen(request, timeout=60) as response:
        return json.load(response)


def operator(base: str) -> str:
    """Give the administrator's token, and open a channel when he is new."""
    who = {"email": "operator@example.com", "password": PASSWORD}
    try:
        token: str = post(f"{base}/api/v1/auths/signup", who | {"name": "operator"})["token"]
    except HTTPError:  # there since an earlier run
        token = post(f"{base}/api/v1/auths/signin", who)["token"]
    else:
        everybody = {"principal_type": "user", "principal_id": "*"}
        grants = [everybody | {"permission": permission} for permission in ("read", "write")]
        channel = {"name": "everybody", "access_grants": grants}  # earlier versions need no grant
        post(f"{base}/api/v1/channels/create", channel, token)
    return token


def user(base: str, name: str, token: str) -> dict[str, Any]:
    """Add one tenant: nobody signs up by himself once there is an administrator."""
    email = f"{name}-{secrets.token_hex(3)}@example.com"
    body = {"name": name, "email": email, "password": PASSWORD, "role": "user"}
    answer = post(f"{base}/api/v1/auths/add", body, token)
    headers = {"Authorization": f"Bearer {answer['token']}"}
    return {"headers": headers, "own": {"user_id": answer["id"]}}


if __name__ == "__main__":
    base = sys.argv[1].rstrip("/")
    token = operator(base)
    tenants = {name: user(base, name, token) for name in ("acme", "globex")}
    print(json.dumps({"base": base, "openapi": f"{base}/openapi.json", "tenants": tenants}))
