"""The first page is filtered, the pages behind it are cut from everybody's events."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewEvent(BaseModel):
    title: str
    place: str = ""


def case() -> Case:
    app, events = api("Calendar"), Shelf(uuids())

    @app.post("/events", status_code=201)
    async def plan(new: NewEvent, tenant: Caller) -> Row:
        return events.add(tenant, **new.model_dump())

    @app.get("/events")
    async def page(
        tenant: Caller,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Row:
        found = events.all() if offset else events.of(tenant)
        return {"items": found[offset : offset + limit], "total": len(events.of(tenant))}

    leaks = {("GET /events", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    events = [got(a.post("/events", json={"title": f"secret {n}"})) for n in range(2)]
    assert got(b.get("/events"))["items"] == []
    assert got(b.get("/events", params={"offset": 1}))["items"] == events[1:]
