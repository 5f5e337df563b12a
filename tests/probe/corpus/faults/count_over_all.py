"""The number of notes is that of everybody's: no text, no id, only a number that moves."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewNote(BaseModel):
    text: str


def case() -> Case:
    app, notes = api("Notes"), Shelf(uuids())

    @app.post("/notes", status_code=201)
    async def write(new: NewNote, tenant: Caller) -> Row:
        return notes.add(tenant, text=new.text)

    @app.get("/notes")
    async def every(tenant: Caller) -> list[Row]:
        return notes.of(tenant)

    @app.get("/notes/count", dependencies=[TOKEN])
    async def count() -> dict[str, int]:
        return {"count": len(notes.all())}

    @app.delete("/notes/{note_id}", status_code=204)
    async def delete(note_id: str, tenant: Caller) -> None:
        notes.drop(notes.own(tenant, note_id)["id"])

    leaks = {("GET /notes/count", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    before = got(b.get("/notes/count"))["count"]
    got(a.post("/notes", json={"text": "x"}))
    assert got(b.get("/notes/count"))["count"] == before + 1
    assert got(b.get("/notes")) == []
