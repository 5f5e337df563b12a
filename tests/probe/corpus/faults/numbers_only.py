"""Readings have nothing but numbers, and are read and found by their number alone."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got


class Reading(BaseModel):
    celsius: float
    humidity: int = 0


def case() -> Case:
    app, readings = api("Sensors"), Shelf(count(1))

    @app.post("/readings", status_code=201)
    async def record(new: Reading, tenant: Caller) -> Row:
        return {"id": readings.add(tenant, **new.model_dump())["id"]}

    @app.put("/readings/{reading_id}", status_code=204)
    async def correct(reading_id: int, new: Reading, tenant: Caller) -> None:
        readings.own(tenant, reading_id).update(new.model_dump())

    @app.get("/readings/{reading_id}", dependencies=[TOKEN])
    async def read(reading_id: int) -> Row:
        found = readings.any(reading_id)
        return {"celsius": found["celsius"], "humidity": found["humidity"]}

    leaks = {("GET /readings/{reading_id}", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    at = f"/readings/{got(a.post('/readings', json={'celsius': 21.5}))['id']}"
    assert b.put(at, json={"celsius": 5}).status_code == 404
    assert got(b.get(at)) == {"celsius": 21.5, "humidity": 0}
    got(a.put(at, json={"celsius": 36.6, "humidity": 40}))
    assert got(b.get(at)) == {"celsius": 36.6, "humidity": 40}
