"""The header that tells the tenant is believed when something is written, not when it is read."""

from __future__ import annotations

from flask import request

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.flasks import caller, flask_app
from tests.probe.corpus.walls import KEYS, Client, DeniedError, Row, Shelf, got, uuids

WORKSPACES = {"acme": "ws_1a", "globex": "ws_2b"}
ENTRY = {"id": str, "text": str}
HEADER = {"X-Workspace": str}
DESCRIPTION = described(
    "Journal",
    {
        "POST /entries": Told(headers=HEADER, body={"text": str}, gives=ENTRY, status=201),
        "GET /entries": Told(headers=HEADER, gives=[ENTRY]),
    },
)


def case() -> Case:
    app, entries = flask_app("journal"), Shelf(uuids())

    def workspace() -> str:
        caller()
        named = request.headers.get("X-Workspace", "")
        if named not in WORKSPACES.values():
            raise DeniedError(403, "this workspace isn't yours")
        return named

    @app.post("/entries")
    def write() -> tuple[Row, int]:
        into, new = workspace(), request.get_json()
        if not isinstance(new.get("text"), str):
            raise DeniedError(400, "text: required")
        return entries.add(into, text=new["text"]), 201

    @app.get("/entries")
    def every() -> list[Row]:
        if WORKSPACES[caller()] != workspace():
            raise DeniedError(403, "this workspace isn't yours")
        return entries.of(workspace())

    tenants = {
        name: {"headers": {"Authorization": f"Bearer {KEYS[name]}", "X-Workspace": own}}
        for name, own in WORKSPACES.items()
    }
    return Case(app, tenants, frozenset({("POST /entries", "write")}), openapi=DESCRIPTION)


def truth(a: Client, b: Client) -> None:
    theirs = {"X-Workspace": "ws_1a"}
    assert b.get("/entries", headers=theirs).status_code == 403
    got(b.post("/entries", json={"text": "graffiti"}, headers=theirs))
    assert [one["text"] for one in got(a.get("/entries"))] == ["graffiti"]
