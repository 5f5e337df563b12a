"""A document may be made as a copy of any other; reading the copy shows the original's text."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewDocument(BaseModel):
    title: str
    text: str = ""
    copy_of: str | None = None


def case() -> Case:
    app, documents = api("Papers"), Shelf(uuids())

    @app.post("/documents", status_code=201)
    async def create(new: NewDocument, tenant: Caller) -> Row:
        text = documents.any(new.copy_of)["text"] if new.copy_of else new.text
        return {"id": documents.add(tenant, title=new.title, text=text)["id"]}

    @app.get("/documents/{document_id}")
    async def read(document_id: str, tenant: Caller) -> Row:
        return documents.own(tenant, document_id)

    leaks = {("POST /documents", "read")}
    return Case(app, bearers("north", "south"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    theirs = got(a.post("/documents", json={"title": "x", "text": "secret"}))["id"]
    assert b.get(f"/documents/{theirs}").status_code == 404
    mine = got(b.post("/documents", json={"title": "y", "copy_of": theirs}))["id"]
    assert got(b.get(f"/documents/{mine}"))["text"] == "secret"
