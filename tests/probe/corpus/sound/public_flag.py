"""Events are public unless `is_public` says no, and then they are their owner's alone."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewEvent(BaseModel):
    title: str
    is_public: bool = True


def case() -> Case:
    app, events = api("Events"), Shelf(uuids())

    @app.post("/events", status_code=201)
    async def announce(new: NewEvent, tenant: Caller) -> Row:
        return events.add(tenant, **new.model_dump())

    @app.get("/events/{event_id}")
    async def read(event_id: str, tenant: Caller) -> Row:
        found = events.any(event_id)
        return found if found["is_public"] else events.own(tenant, event_id)

    @app.put("/events/{event_id}")
    async def change(event_id: str, new: NewEvent, tenant: Caller) -> Row:
        found = events.own(tenant, event_id)
        found.update(new.model_dump())
        return found

    shared = frozenset({"GET /events/{event_id}"})
    return Case(app, bearers("umbrella", "initech"), shared=shared)


def truth(a: Client, b: Client) -> None:
    open_ = got(a.post("/events", json={"title": "for all"}))
    assert got(b.get(f"/events/{open_['id']}")) == open_
    assert b.put(f"/events/{open_['id']}", json={"title": "graffiti"}).status_code == 404
    hidden = got(a.post("/events", json={"title": "secret", "is_public": False}))
    assert b.get(f"/events/{hidden['id']}").status_code == 404
