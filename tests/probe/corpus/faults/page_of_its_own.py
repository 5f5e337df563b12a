"""A folder shows its notes; asked for a page of them, by a query that forgot whose they are."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewFolder(BaseModel):
    title: str


class NewNote(BaseModel):
    text: str


def case() -> Case:
    app, folders, notes = api("Folders"), Shelf(uuids(1)), Shelf(uuids(2))

    @app.post("/folders", status_code=201)
    async def create(new: NewFolder, tenant: Caller) -> Row:
        return folders.add(tenant, title=new.title)

    @app.post("/notes", status_code=201)
    async def write(new: NewNote, tenant: Caller) -> Row:
        return notes.add(tenant, text=new.text)

    @app.get("/notes/{note_id}")
    async def read(note_id: str, tenant: Caller) -> Row:
        return notes.own(tenant, note_id)

    @app.get("/folders/{folder_id}")
    async def show(
        folder_id: str, tenant: Caller, page: int | None = None, size: int | None = None
    ) -> Row:
        folder = folders.own(tenant, folder_id)
        if page and size:
            return {**folder, "notes": notes.all()[(page - 1) * size : page * size]}
        return {**folder, "notes": notes.of(tenant)}

    return Case(app, bearers("acme", "globex"), frozenset({("GET /folders/{folder_id}", "read")}))


def truth(a: Client, b: Client) -> None:
    got(a.post("/notes", json={"text": "the secret"}))
    folder = got(b.post("/folders", json={"title": "x"}))["id"]
    assert got(b.get(f"/folders/{folder}"))["notes"] == []
    assert got(b.get(f"/folders/{folder}", params={"page": 1}))["notes"] == []
    shown = got(b.get(f"/folders/{folder}", params={"page": 1, "size": 50}))
    assert [one["text"] for one in shown["notes"]] == ["the secret"]
