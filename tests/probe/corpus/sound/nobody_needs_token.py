"""Announcements are read without any token; to make and to change them, one is needed."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class Announcement(BaseModel):
    headline: str


def case() -> Case:
    app, board = api("Announcements"), Shelf(uuids())

    @app.post("/announcements", status_code=201)
    async def make(new: Announcement, tenant: Caller) -> Row:
        return board.add(tenant, headline=new.headline)

    @app.get("/announcements")
    async def every() -> list[Row]:
        return board.all()

    @app.get("/announcements/{announcement_id}")
    async def read(announcement_id: str) -> Row:
        return board.any(announcement_id)

    @app.put("/announcements/{announcement_id}")
    async def change(announcement_id: str, new: Announcement, tenant: Caller) -> Row:
        found = board.own(tenant, announcement_id)
        found.update(new.model_dump())
        return found

    return Case(
        app,
        bearers("north", "south"),
        public=frozenset({"GET /announcements", "GET /announcements/{announcement_id}"}),
    )


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/announcements", json={"headline": "for all"}))
    assert got(b.get("/announcements")) == [made]
    at = f"/announcements/{made['id']}"
    assert got(b.get(at, headers={"Authorization": ""})) == made
    assert b.put(at, json={"headline": "graffiti"}).status_code == 404
