"""Sign two users of Langflow up and print what the probe's configuration needs.

    python login.py http://127.0.0.1:9201

Each gets a bearer token, an API key (some routes take only that) and a flow that was run once:
messages can't be created through the API in another way.
"""

from __future__ import annotations

import gzip
import json
import secrets
import sys
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

PASSWORD = "Passw0rd!xx"  # noqa: S105 - of a user in a store that is thrown away


def call(method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> Any:
    """Give what the server answers to one request."""
    request = Request(url, body, {"Content-Type": "application/json", **headers}, method=method)
    with urlopen(request, timeout=120) as response:
        content = response.read()
    return json.loads(gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content)


def chat(components: dict[str, dict[str, Any]], said: str) -> dict[str, Any]:
    """Give the graph of a flow that says back what was said to it."""
    known = {name: part for group in components.values() for name, part in group.items()}
    nodes = []
    for kind in ("ChatInput", "ChatOutput"):
        part = json.loads(json.dumps(known[kind]))
        part["template"]["input_value"]["value"] = said if kind == "ChatInput" else ""
        data = {"id": f"{kind}-1", "type": kind, "node": part}
        nodes.append({"id": f"{kind}-1", "type": "genericNode", "position": {}, "data": data})
    source = {"dataType": "ChatInput", "id": "ChatInput-1", "name": "message"}
    target = {"fieldName": "input_value", "id": "ChatOutput-1", "type": "str"}
    edge = {
        "id": "edge-1",
        "source": "ChatInput-1",
        "target": "ChatOutput-1",
        "sourceHandle": json.dumps(source | {"output_types": ["Message"]}),
        "targetHandle": json.dumps(target | {"inputTypes": ["Data", "DataFrame", "Message"]}),
        "data": {
            "sourceHandle": source | {"output_types": ["Message"]},
            "targetHandle": target | {"inputTypes": ["Data", "DataFrame", "Message"]},
        },
    }
    return {"nodes": nodes, "edges": [edge], "viewport": {"x": 0, "y": 0, "zoom": 1}}


def user(base: str, name: str) -> dict[str, Any]:
    """Sign one user up, with a flow that was run."""
    signed = {"username": f"{name}-{secrets.token_hex(3)}", "password": PASSWORD}
    who = call("POST", f"{base}/api/v1/users/", {}, json.dumps(signed).encode())
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    token = call("POST", f"{base}/api/v1/login", form, urlencode(signed).encode())["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    key = call("POST", f"{base}/api/v1/api_key/", headers, json.dumps({"name": name}).encode())
    headers["x-api-key"] = key["api_key"]
    graph = chat(call("GET", f"{base}/api/v1/all", headers), f"words of {name}")
    body = json.dumps({"name": f"chat of {name}", "data": graph}).encode()
    flow = call("POST", f"{base}/api/v1/flows/", headers, body)["id"]
    run = {"input_value": f"words of {name}", "session_id": f"session-{secrets.token_hex(6)}"}
    call("POST", f"{base}/api/v1/run/{flow}?stream=false", headers, json.dumps(run).encode())
    return {"headers": headers, "own": {"user_id": who["id"]}}


if __name__ == "__main__":
    base = sys.argv[1].rstrip("/")
    tenants = {name: user(base, name) for name in ("acme", "globex")}
    print(json.dumps({"base": base, "openapi": f"{base}/openapi.json", "tenants": tenants}))
