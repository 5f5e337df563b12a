"""An article counts how often it was read: the owner's own reading changes what it reads."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got


class Article(BaseModel):
    title: str


def case() -> Case:
    app, articles = api("Magazine"), Shelf(count(70))

    @app.post("/articles", status_code=201)
    async def write(new: Article, tenant: Caller) -> Row:
        return articles.add(tenant, title=new.title, views=0)

    @app.get("/articles/{article_id}")
    async def read(article_id: int, tenant: Caller) -> Row:
        found = articles.own(tenant, article_id)
        found["views"] += 1
        return found

    @app.patch("/articles/{article_id}", status_code=204)
    async def change(article_id: int, new: Article, tenant: Caller) -> None:
        articles.own(tenant, article_id)["title"] = new.title

    return Case(app, bearers("umbrella", "initech"))


def truth(a: Client, b: Client) -> None:
    at = f"/articles/{got(a.post('/articles', json={'title': 'x'}))['id']}"
    assert [got(a.get(at))["views"] for _ in range(2)] == [1, 2]
    assert b.get(at).status_code == 404
    assert b.patch(at, json={"title": "y"}).status_code == 404
    assert got(a.get(at)) == {"id": 70, "title": "x", "views": 3}
