"""A search gives the question back, with suggestions made of it; its hits are one's own."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed


class NewSong(BaseModel):
    title: str
    artist: str


def case() -> Case:
    app, songs = api("Songs"), Shelf(prefixed("song"))

    @app.post("/songs", status_code=201)
    async def add(new: NewSong, tenant: Caller) -> Row:
        return songs.add(tenant, **new.model_dump())

    @app.get("/songs/search")
    async def search(q: str, tenant: Caller, sort: str = "title") -> Row:
        hits = [one for one in songs.of(tenant) if q.lower() in str(one).lower()]
        meant = [f"{q} live", f'"{q}"']
        return {"q": q, "sort": sort, "did_you_mean": meant, "hits": hits, "total": len(hits)}

    return Case(app, bearers("acme", "globex"))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/songs", json={"title": "secret", "artist": "x"}))
    assert got(a.get("/songs/search", params={"q": "secret"}))["hits"] == [made]
    found = got(b.get("/songs/search", params={"q": "secret"}))
    assert found["hits"] == []
    assert found["did_you_mean"] == ["secret live", '"secret"']
