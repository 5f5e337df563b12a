"""Anybody may share any album, with itself as well, and then open it."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, prefixed


class NewAlbum(BaseModel):
    title: str


class Share(BaseModel):
    account: str


def case() -> Case:
    app, albums, guests = api("Albums"), Shelf(prefixed("alb")), set[tuple[str, str]]()

    @app.post("/albums", status_code=201)
    async def create(new: NewAlbum, tenant: Caller) -> Row:
        return albums.add(tenant, title=new.title)

    @app.post("/albums/{album_id}/shares", status_code=204, dependencies=[TOKEN])
    async def share(album_id: str, new: Share) -> None:
        if new.account not in ("acme", "globex"):
            raise DeniedError(422, "account: there is none of that name")
        guests.add((albums.any(album_id)["id"], new.account))

    @app.get("/albums/{album_id}")
    async def read(album_id: str, tenant: Caller) -> Row:
        if (album_id, tenant) in guests:
            return albums.any(album_id)
        return albums.own(tenant, album_id)

    return Case(
        app,
        bearers("acme", "globex", account=("acme", "globex")),
        leaks=frozenset({("POST /albums/{album_id}/shares", "read")}),
        also=frozenset(
            {("POST /albums/{album_id}/shares", "write"), ("GET /albums/{album_id}", "read")}
        ),
    )


def truth(a: Client, b: Client) -> None:
    at = f"/albums/{got(a.post('/albums', json={'title': 'secret'}))['id']}"
    assert b.get(at).status_code == 404
    got(b.post(f"{at}/shares", json={"account": "globex"}))
    assert got(b.get(at))["title"] == "secret"
