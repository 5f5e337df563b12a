"""A poster counts its readers, so that it never reads the same twice; anybody may rename it."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got


class Poster(BaseModel):
    title: str


def case() -> Case:
    app, posters = api("Posters"), Shelf(count(610))

    @app.post("/posters", status_code=201)
    async def hang(new: Poster, tenant: Caller) -> Row:
        return posters.add(tenant, title=new.title, views=0)

    @app.get("/posters/{poster_id}")
    async def read(poster_id: int, tenant: Caller) -> Row:
        found = posters.own(tenant, poster_id)
        found["views"] += 1
        return found

    @app.patch("/posters/{poster_id}", status_code=204, dependencies=[TOKEN])
    async def rename(poster_id: int, new: Poster) -> None:
        posters.any(poster_id)["title"] = new.title

    leaks = {("PATCH /posters/{poster_id}", "write")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    at = f"/posters/{got(a.post('/posters', json={'title': 'x'}))['id']}"
    assert [got(a.get(at))["views"] for _ in range(2)] == [1, 2]
    assert b.get(at).status_code == 404
    got(b.patch(at, json={"title": "graffiti"}))
    assert got(a.get(at))["title"] == "graffiti"
