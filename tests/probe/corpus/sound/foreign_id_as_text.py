"""A reference is a text of one's own: it may hold anybody's id, and is only given back."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewRequestForQuote(BaseModel):
    subject: str
    document_id: str = ""
    related_ids: list[str] = []


def case() -> Case:
    app, quotes = api("Purchasing"), Shelf(uuids())

    @app.post("/requests", status_code=201)
    async def ask(new: NewRequestForQuote, tenant: Caller) -> Row:
        return quotes.add(tenant, **new.model_dump())

    @app.get("/requests")
    async def every(tenant: Caller) -> Row:
        found = quotes.of(tenant)
        return {"items": found, "total": len(found)}

    @app.get("/requests/{request_id}")
    async def read(request_id: str, tenant: Caller) -> Row:
        return quotes.own(tenant, request_id)

    return Case(app, bearers("north", "south"))


def truth(a: Client, b: Client) -> None:
    theirs = got(a.post("/requests", json={"subject": "secret"}))["id"]
    new = {"subject": "mine", "document_id": theirs, "related_ids": [theirs]}
    mine = got(b.post("/requests", json=new))
    assert got(b.get("/requests"))["items"] == [mine]
    assert b.get(f"/requests/{theirs}").status_code == 404
    assert got(a.get("/requests"))["total"] == 1
