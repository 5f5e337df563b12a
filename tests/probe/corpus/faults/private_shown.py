"""Snippets are private unless said otherwise, and shown all the same."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed


class NewSnippet(BaseModel):
    code: str
    visibility: Literal["private", "team", "public"] = "private"


def case() -> Case:
    app, snippets = api("Snippets"), Shelf(prefixed("snip"))

    @app.post("/snippets", status_code=201)
    async def save(new: NewSnippet, tenant: Caller) -> Row:
        return snippets.add(tenant, **new.model_dump())

    @app.get("/snippets")
    async def every(tenant: Caller) -> Row:
        return {"items": snippets.of(tenant)}

    @app.get("/snippets/{snippet_id}", dependencies=[TOKEN])
    async def read(snippet_id: str) -> Row:
        return snippets.any(snippet_id)

    leaks = {("GET /snippets/{snippet_id}", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/snippets", json={"code": "secret", "visibility": "private"}))
    assert got(b.get("/snippets")) == {"items": []}
    assert got(b.get(f"/snippets/{made['id']}")) == made
