"""What was published before this run is in everybody's feed, and in its author's list alone."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids


class New(BaseModel):
    title: str


def case() -> Case:
    app, posts = api("Posts"), Shelf(uuids())
    for tenant in ("acme", "globex"):
        posts.add(tenant, title=f"the first of {tenant}", published=True)

    @app.post("/posts", status_code=201)
    async def create(new: New, tenant: Caller) -> Row:
        return posts.add(tenant, title=new.title, published=False)

    @app.get("/posts")
    async def mine(tenant: Caller) -> list[Row]:
        return posts.of(tenant)

    @app.get("/posts/{post_id}")
    async def read(post_id: str, tenant: Caller) -> Row:
        found = posts.any(post_id)
        if not found["published"] and posts.owners[post_id] != tenant:
            raise DeniedError(404, "not found")
        return found

    @app.get("/feed", dependencies=[TOKEN])
    async def feed() -> list[Row]:
        return posts.all(published=True)

    return Case(app, bearers("acme", "globex"))


def truth(a: Client, b: Client) -> None:
    [first] = got(a.get("/posts"))
    assert first["id"] not in {one["id"] for one in got(b.get("/posts"))}
    assert first["id"] in {one["id"] for one in got(b.get("/feed"))}
    assert got(b.get(f"/posts/{first['id']}")) == first
    draft = got(a.post("/posts", json={"title": "x"}))["id"]
    assert b.get(f"/posts/{draft}").status_code == 404
