"""usage: login.py BASE -> JSON: two projects, each with its own key (basic authentication)

The application ships no description of its API; the one beside this file's output is written here.
"""

from __future__ import annotations

import base64
import json
import secrets
import sys
import tempfile
import urllib.request
from pathlib import Path

TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
ADDRESS = {"type": "string", "format": "email"}
PROJECT = {"name": TEXT, "password": TEXT, "contact_email": ADDRESS}
MEMBER = {"name": TEXT, "weight": {"type": "number", "minimum": 1}}
BILL = {
    "date": {"type": "string", "format": "date"},
    "what": TEXT,
    "payer": {**WHOLE, "description": "a member's id"},
    "payed_for": {"type": "array", "items": WHOLE, "description": "members' ids"},
    "amount": {"type": "number"},
}
CURRENCY = {"type": "string", "enum": ["EUR"]}


def body(required: dict, optional: dict | None = None) -> dict:
    schema = {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
    }
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def operation(schema: dict | None = None, *, secured: bool = True) -> dict:
    return {
        "responses": {"200": {"description": "done"}, "201": {"description": "made: its id"}},
        "security": [{"key": []}] if secured else [],
        **({"requestBody": schema} if schema else {}),
    }


def description(base: str, *, later: bool) -> dict:
    currency = {"default_currency": CURRENCY} if later else {}
    bill = body(BILL | ({"original_currency": CURRENCY} if later else {}))
    change = body(PROJECT | currency | ({"current_password": TEXT} if later else {}))
    one = "/api/projects/{project_id}"
    paths = {
        "/api/projects": {
            "post": operation(body({"id": TEXT} | PROJECT | currency), secured=False)
        },
        one: {"get": operation(), "put": operation(change), "delete": operation()},
        one + "/members": {"get": operation(), "post": operation(body(MEMBER))},
        one + "/members/{member_id}": {
            "get": operation(),
            "put": operation(body(MEMBER, {"activated": {"type": "boolean"}})),
            "delete": operation(),
        },
        one + "/bills": {"get": operation(), "post": operation(bill)},
        one + "/bills/{bill_id}": {
            "get": operation(),
            "put": operation(bill),
            "delete": operation(),
        },
        one + "/statistics": {"get": operation()},
    }
    if later:
        paths[one + "/token"] = {"get": operation()}
        paths["/api/currencies"] = {"get": operation(secured=False)}
    for path, item in paths.items():
        item["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": schema}
            for name, schema in (("project_id", TEXT), ("member_id", WHOLE), ("bill_id", WHOLE))
            if f"{{{name}}}" in path
        ]
    return {
        "openapi": "3.0.3",
        "info": {"title": "I Hate Money", "version": "1"},
        "servers": [{"url": base}],
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "basic"}}},
        "paths": paths,
    }


def call(url: str, body: dict | None = None) -> object:
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def later(base: str) -> bool:
    try:
        return bool(call(base + "/api/currencies"))
    except urllib.error.HTTPError:
        return False


def main() -> None:
    base = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:9301"
    new = later(base)
    file = Path(tempfile.mkdtemp(), "openapi.json")
    file.write_text(json.dumps(description(base, later=new), indent=1))
    out: dict = {"base": base, "openapi": str(file), "tenants": {}}
    for name in "AB":
        key, project = "Passw0rd!xx", f"trip{name.lower()}{secrets.token_hex(3)}"
        made = call(
            base + "/api/projects",
            {"id": project, "name": f"Trip {project}", "password": key}
            | {"contact_email": f"{project}@example.com"}
            | ({"default_currency": "EUR"} if new else {}),
        )
        basic = base64.b64encode(f"{made}:{key}".encode()).decode()
        out["tenants"][name] = {
            "headers": {"Authorization": f"Basic {basic}"},
            "own": {"project_id": made},
        }
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
