"""Figures by tag count everybody's, and so name everybody's tags."""

from __future__ import annotations

from collections import Counter

from pydantic import BaseModel, Field

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewBookmark(BaseModel):
    title: str
    tags: list[str] = Field(min_length=1)


def case() -> Case:
    app, bookmarks = api("Bookmarks"), Shelf(uuids())

    @app.post("/bookmarks", status_code=201)
    async def save(new: NewBookmark, tenant: Caller) -> Row:
        return bookmarks.add(tenant, **new.model_dump())

    @app.get("/bookmarks")
    async def every(tenant: Caller) -> Row:
        return {"data": bookmarks.of(tenant)}

    @app.get("/bookmarks/stats", dependencies=[TOKEN])
    async def figures() -> Row:
        tags = Counter(tag for one in bookmarks.all() for tag in one["tags"])
        return {"byTag": [{"tag": tag, "count": n} for tag, n in tags.most_common()]}

    leaks = {("GET /bookmarks/stats", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    got(a.post("/bookmarks", json={"title": "x", "tags": ["secret"]}))
    assert got(b.get("/bookmarks")) == {"data": []}
    assert got(b.get("/bookmarks/stats"))["byTag"] == [{"tag": "secret", "count": 1}]
