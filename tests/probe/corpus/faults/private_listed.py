"""Playlists are public unless said otherwise; the list shows the private ones as well."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewPlaylist(BaseModel):
    title: str
    visibility: Literal["public", "private"] = "public"


def case() -> Case:
    app, playlists = api("Music"), Shelf(uuids())

    @app.post("/playlists", status_code=201)
    async def make(new: NewPlaylist, tenant: Caller) -> Row:
        return playlists.add(tenant, **new.model_dump())

    @app.get("/playlists", dependencies=[TOKEN])
    async def every() -> list[Row]:
        return playlists.all()

    @app.get("/playlists/{playlist_id}")
    async def read(playlist_id: str, tenant: Caller) -> Row:
        found = playlists.any(playlist_id)
        return found if found["visibility"] == "public" else playlists.own(tenant, playlist_id)

    return Case(
        app,
        bearers("north", "south"),
        leaks=frozenset({("GET /playlists", "read")}),
        shared=frozenset({"GET /playlists/{playlist_id}"}),
    )


def truth(a: Client, b: Client) -> None:
    open_ = got(a.post("/playlists", json={"title": "for all"}))
    secret = got(a.post("/playlists", json={"title": "secret", "visibility": "private"}))
    assert got(b.get(f"/playlists/{open_['id']}")) == open_
    assert b.get(f"/playlists/{secret['id']}").status_code == 404
    assert secret in got(b.get("/playlists"))
