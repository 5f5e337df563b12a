"""Sign tokens of two users of AgentOS and print what the probe's configuration needs.

    python login.py http://127.0.0.1:9241

The server knows no users of its own: whom a token names, that one is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from typing import Any

KEY = b"lab-secret-lab-secret-lab-secret"  # as in serve.py
KINDS = ("agents", "teams", "workflows", "sessions", "memories", "learnings", "knowledge", "traces")
DEEDS = ("read", "write", "delete", "run")


def encoded(value: bytes) -> str:
    """Give it as a token's parts are written."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def token(user_id: str) -> str:
    """Sign a token for a day, with every scope but the administrator's."""
    scopes = [f"{kind}:{deed}" for kind in KINDS for deed in DEEDS]
    claims = {"sub": user_id, "aud": "lab", "scopes": scopes, "exp": int(time.time()) + 86400}
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = ".".join(map(encoded, parts))
    return f"{signed}.{encoded(hmac.digest(KEY, signed.encode(), hashlib.sha256))}"


def user(name: str) -> dict[str, Any]:
    """Give one user: there is nothing to sign up."""
    user_id = f"{name}-{secrets.token_hex(3)}"
    return {"headers": {"Authorization": f"Bearer {token(user_id)}"}, "own": {"user_id": user_id}}


if __name__ == "__main__":
    base = sys.argv[1].rstrip("/")
    tenants = {name: user(name) for name in ("acme", "globex")}
    print(json.dumps({"base": base, "openapi": f"{base}/openapi.json", "tenants": tenants}))
