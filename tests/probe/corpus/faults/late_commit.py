"""Changes are made after the answer, a tenth of a second later, and by their ids alone."""

from __future__ import annotations

import asyncio

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, later, uuids

LATE_S = 0.1


class NewRoute(BaseModel):
    name: str


def case() -> Case:
    app, routes = api("Deliveries"), Shelf(uuids())

    @app.post("/routes", status_code=201)
    async def plan(new: NewRoute, tenant: Caller) -> Row:
        return routes.add(tenant, name=new.name)

    @app.get("/routes/{route_id}")
    async def read(route_id: str, tenant: Caller) -> Row:
        return routes.own(tenant, route_id)

    @app.put("/routes/{route_id}", status_code=202, dependencies=[TOKEN])
    async def change(route_id: str, new: NewRoute) -> dict[str, str]:
        found = routes.any(route_id)
        asyncio.get_running_loop().call_later(LATE_S, found.update, {"name": new.name})
        return {"state": "accepted"}

    leaks = {("PUT /routes/{route_id}", "write")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    at = f"/routes/{got(a.post('/routes', json={'name': 'x'}))['id']}"
    assert b.get(at).status_code == 404
    got(b.put(at, json={"name": "graffiti"}))
    later(lambda: got(a.get(at))["name"] == "graffiti")
