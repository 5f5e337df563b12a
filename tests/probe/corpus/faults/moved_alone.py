"""A folder takes in any notes, if it isn't told its new title in the same request."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewFolder(BaseModel):
    title: str


class NewNote(BaseModel):
    text: str


class Change(BaseModel):
    title: str | None = None
    notes: list[UUID] | None = None


def case() -> Case:
    app, folders, notes = api("Folders"), Shelf(uuids(1)), Shelf(uuids(2))

    @app.post("/folders", status_code=201)
    async def create(new: NewFolder, tenant: Caller) -> Row:
        return folders.add(tenant, title=new.title)

    @app.patch("/folders/{folder_id}")
    async def change(folder_id: str, new: Change, tenant: Caller) -> Row:
        folder = folders.own(tenant, folder_id)
        if new.title:
            folder["title"] = new.title
            return folder
        for one in new.notes or ():
            if str(one) in notes.rows:
                notes.rows[str(one)]["folder"] = folder_id
        return folder

    @app.post("/notes", status_code=201)
    async def write(new: NewNote, tenant: Caller) -> Row:
        return notes.add(tenant, text=new.text, folder=None)

    @app.get("/notes/{note_id}")
    async def read(note_id: str, tenant: Caller) -> Row:
        return notes.own(tenant, note_id)

    leaks = {("PATCH /folders/{folder_id}", "write")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    note = got(a.post("/notes", json={"text": "x"}))["id"]
    folder = got(b.post("/folders", json={"title": "x"}))["id"]
    got(b.patch(f"/folders/{folder}", json={"title": "y", "notes": [note]}))
    assert got(a.get(f"/notes/{note}"))["folder"] is None
    got(b.patch(f"/folders/{folder}", json={"notes": [note]}))
    assert got(a.get(f"/notes/{note}"))["folder"] == folder
