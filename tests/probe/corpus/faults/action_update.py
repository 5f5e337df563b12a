"""Action routes that answer nothing; notes are changed by their ids alone."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed


class Note(BaseModel):
    title: str
    content: str = ""


def case() -> Case:
    app, notes = api("Notebook"), Shelf(prefixed("n"))

    @app.post("/notes/create", status_code=204)
    async def create(new: Note, tenant: Caller) -> None:
        notes.add(tenant, **new.model_dump())

    @app.get("/notes/list")
    async def every(tenant: Caller) -> Row:
        return {"success": True, "result": notes.of(tenant)}

    @app.post("/notes/{note_id}/update", status_code=204, dependencies=[TOKEN])
    async def update(note_id: str, new: Note) -> None:
        notes.any(note_id).update(new.model_dump())

    @app.post("/notes/{note_id}/delete", status_code=204)
    async def delete(note_id: str, tenant: Caller) -> None:
        notes.drop(notes.own(tenant, note_id)["id"])

    leaks = {("POST /notes/{note_id}/update", "write")}
    return Case(app, bearers("umbrella", "initech"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    got(a.post("/notes/create", json={"title": "x"}))
    at = f"/notes/{got(a.get('/notes/list'))['result'][0]['id']}"
    assert b.post(f"{at}/delete").status_code == 404
    got(b.post(f"{at}/update", json={"title": "graffiti"}))
    assert got(a.get("/notes/list"))["result"][0]["title"] == "graffiti"
    assert got(b.get("/notes/list"))["result"] == []
