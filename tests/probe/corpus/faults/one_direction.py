"""The first tenant there was sees everything; the others see their own."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got

FIRST = "initech"


class NewMeeting(BaseModel):
    topic: str


def case() -> Case:
    app, meetings = api("Meetings"), Shelf(count(60))

    @app.post("/meetings", status_code=201)
    async def call(new: NewMeeting, tenant: Caller) -> Row:
        return meetings.add(tenant, topic=new.topic)

    @app.get("/meetings")
    async def every(tenant: Caller) -> list[Row]:
        return meetings.all() if tenant == FIRST else meetings.of(tenant)

    @app.get("/meetings/{meeting_id}")
    async def read(meeting_id: int, tenant: Caller) -> Row:
        return meetings.own(tenant, meeting_id)

    leaks = {("GET /meetings", "read")}
    return Case(app, bearers("acme", FIRST), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    got(b.post("/meetings", json={"topic": "x"}))
    made = got(a.post("/meetings", json={"topic": "secret"}))
    assert got(a.get("/meetings")) == [made]
    assert made in got(b.get("/meetings"))
    assert b.get(f"/meetings/{made['id']}").status_code == 404
