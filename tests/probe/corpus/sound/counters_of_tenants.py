"""Each tenant counts its own notes: both have a first one, at the same address."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, bearers, got


class Note(BaseModel):
    text: str


def case() -> Case:
    app = api("Notes")
    notes: dict[str, dict[int, Row]] = {"acme": {}, "globex": {}}
    numbers = {name: count(1) for name in notes}

    def own(tenant: str, note_id: int) -> Row:
        if note_id not in notes[tenant]:
            raise DeniedError(404, "not found")
        return notes[tenant][note_id]

    @app.post("/notes", status_code=201)
    async def write(new: Note, tenant: Caller) -> Row:
        made: Row = {"id": next(numbers[tenant]), "text": new.text}
        notes[tenant][made["id"]] = made
        return made

    @app.get("/notes/{note_id}")
    async def read(note_id: int, tenant: Caller) -> Row:
        return own(tenant, note_id)

    @app.put("/notes/{note_id}")
    async def change(note_id: int, new: Note, tenant: Caller) -> Row:
        own(tenant, note_id)["text"] = new.text
        return own(tenant, note_id)

    @app.delete("/notes/{note_id}", status_code=204)
    async def delete(note_id: int, tenant: Caller) -> None:
        own(tenant, note_id)
        del notes[tenant][note_id]

    return Case(app, bearers("acme", "globex"))


def truth(a: Client, b: Client) -> None:
    assert got(a.post("/notes", json={"text": "theirs"}))["id"] == 1
    assert b.get("/notes/1").status_code == 404
    assert got(b.post("/notes", json={"text": "mine"}))["id"] == 1
    got(b.put("/notes/1", json={"text": "changed"}))
    got(b.delete("/notes/1"))
    assert got(a.get("/notes/1"))["text"] == "theirs"
