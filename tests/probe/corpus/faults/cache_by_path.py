"""Answers are cached under their path alone: once the owner has read, everybody may."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewQuote(BaseModel):
    client: str
    offer: str = ""


def case() -> Case:
    app, quotes, cache = api("Quotes"), Shelf(uuids()), dict[str, Row]()

    @app.post("/quotes", status_code=201)
    async def make(new: NewQuote, tenant: Caller) -> Row:
        return quotes.add(tenant, **new.model_dump())

    @app.get("/quotes/{quote_id}")
    async def read(quote_id: UUID, tenant: Caller) -> Row:
        path = f"/quotes/{quote_id}"
        if path not in cache:
            cache[path] = dict(quotes.own(tenant, str(quote_id)))
        return cache[path]

    @app.put("/quotes/{quote_id}")
    async def change(quote_id: UUID, new: NewQuote, tenant: Caller) -> Row:
        found = quotes.own(tenant, str(quote_id))
        found.update(new.model_dump())
        cache.pop(f"/quotes/{quote_id}", None)
        return found

    leaks = {("GET /quotes/{quote_id}", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/quotes", json={"client": "secret"}))
    assert b.get(f"/quotes/{made['id']}").status_code == 404
    got(a.get(f"/quotes/{made['id']}"))
    assert got(b.get(f"/quotes/{made['id']}")) == made
