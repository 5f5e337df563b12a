"""The search looks through everybody's articles."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewArticle(BaseModel):
    title: str
    body: str


def case() -> Case:
    app, articles = api("Knowledge"), Shelf(uuids())

    @app.post("/articles", status_code=201)
    async def write(new: NewArticle, tenant: Caller) -> Row:
        return articles.add(tenant, **new.model_dump())

    @app.get("/articles/search", dependencies=[TOKEN])
    async def search(q: str) -> Row:
        term = q.lower()
        hits = [one for one in articles.all() if term in f"{one['title']} {one['body']}".lower()]
        return {"query": q, "hits": hits}

    @app.get("/articles/{article_id}")
    async def read(article_id: str, tenant: Caller) -> Row:
        return articles.own(tenant, article_id)

    leaks = {("GET /articles/search", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/articles", json={"title": "Plans", "body": "the merger"}))
    assert b.get(f"/articles/{made['id']}").status_code == 404
    assert got(b.get("/articles/search", params={"q": "plan"}))["hits"] == [made]
