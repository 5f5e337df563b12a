"""Sign two users of ContextForge up and print what the probe's configuration needs.

    python login.py http://127.0.0.1:9231

Each has a team of his own. The server shows its description only to who is signed in, so it is
put into a file.
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

PASSWORD = "Qz7!vLp2#rTx9"  # noqa: S105 - of a user in a store that is thrown away
OPERATOR = {"email": "operator@example.com", "password": "Passw0rd-0perator!"}  # as start.sh says


def call(url: str, token: str = "", body: dict[str, Any] | None = None) -> Any:
    """Give what the server answers to one request: a POST where there is a body."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data, headers), timeout=60) as response:
        return json.load(response)


def role(base: str, token: str) -> str:
    """Make the role that lets a user work."""
    kinds, deeds = (
        ("tools", "resources", "prompts", "servers"),
        ("create", "read", "update", "delete"),
    )
    allowed = [f"{kind}.{deed}" for kind in kinds for deed in deeds]
    allowed += [f"tokens.{deed}" for deed in ("create", "read", "revoke")]
    allowed += [f"teams.{deed}" for deed in ("create", "read", "update", "delete")]
    body = {"name": f"tenant-{secrets.token_hex(3)}", "description": "", "scope": "global"}
    made = call(f"{base}/rbac/roles", token, body | {"permissions": allowed})
    return str(made["id"])


def user(base: str, name: str, operator: str) -> dict[str, Any]:
    """Sign one user up; give him a role where he may do nothing at all without one."""
    named = f"{name}-{secrets.token_hex(3)}"  # his team is named after him, and names are unique
    signed = {"email": f"{named}@example.com", "password": PASSWORD}
    call(f"{base}/auth/email/register", body=signed | {"full_name": named})
    token = call(f"{base}/auth/email/login", body=signed)["access_token"]
    if not call(f"{base}/rbac/my/permissions", token):
        given = {"role_id": role(base, operator), "scope": "global"}
        call(f"{base}/rbac/users/{signed['email']}/roles", operator, given)
    team = call(f"{base}/teams/", token)["teams"][0]["id"]
    own = {"team_id": team, "user_email": signed["email"]}
    return {"headers": {"Authorization": f"Bearer {token}"}, "own": own}


if __name__ == "__main__":
    base = sys.argv[1].rstrip("/")
    operator = call(f"{base}/auth/email/login", body=OPERATOR)["access_token"]
    tenants = {name: user(base, name, operator) for name in ("acme", "globex")}
    description = Path(tempfile.mkdtemp(), "openapi.json")
    description.write_text(json.dumps(call(f"{base}/openapi.json", operator)))
    print(json.dumps({"base": base, "openapi": str(description), "tenants": tenants}))
