"""Alerts come from elsewhere, and there are none: of an empty list nothing can be proven."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got


class New(BaseModel):
    name: str


def case() -> Case:
    app, sensors, alerts = api("Sensors"), Shelf(count(51)), Shelf(count(1))

    @app.post("/sensors", status_code=201)
    async def create(new: New, tenant: Caller) -> Row:
        return sensors.add(tenant, name=new.name)

    @app.get("/sensors/{sensor_id}")
    async def read(sensor_id: int, tenant: Caller) -> Row:
        return sensors.own(tenant, sensor_id)

    @app.get("/alerts")
    async def listed(tenant: Caller) -> Row:
        found = alerts.of(tenant)
        return {"items": found, "total": len(found)}

    return Case(app, bearers("acme", "globex"), undecided=frozenset({"GET /alerts"}))


def truth(a: Client, b: Client) -> None:
    got(a.post("/sensors", json={"name": "x"}))
    for client in (a, b):
        assert got(client.get("/alerts")) == {"items": [], "total": 0}
