"""A note may be named by its global id too, base64 of `Note:17`, and then no one asks."""

from __future__ import annotations

from base64 import b64decode, b64encode
from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got


class NewNote(BaseModel):
    text: str


def number_of(global_id: str) -> int:
    try:
        kind, _, number = b64decode(global_id, validate=True).decode().partition(":")
        return int(number) if kind == "Note" else 0
    except ValueError:
        raise DeniedError(404, "not found") from None


def case() -> Case:
    app, notes = api("Notes"), Shelf(count(17))

    @app.post("/notes", status_code=201)
    async def write(new: NewNote, tenant: Caller) -> Row:
        made = notes.add(tenant, text=new.text)
        made["gid"] = b64encode(f"Note:{made['id']}".encode()).decode()
        return made

    @app.get("/notes/{note_id}")
    async def read(note_id: str, tenant: Caller) -> Row:
        if note_id.isdecimal():
            return notes.own(tenant, int(note_id))
        return notes.any(number_of(note_id))

    leaks = {("GET /notes/{note_id}", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/notes", json={"text": "secret"}))
    assert b.get(f"/notes/{made['id']}").status_code == 404
    assert got(b.get(f"/notes/{made['gid']}")) == made
