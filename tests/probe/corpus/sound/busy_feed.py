"""A feed of one's own changes by itself, at every look."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids

KEPT = 6


class NewShip(BaseModel):
    name: str


def case() -> Case:
    app, ships, ticks = api("Harbour"), Shelf(uuids()), count(1)
    feeds: dict[str, list[Row]] = {"acme": [], "globex": []}

    @app.post("/ships", status_code=201)
    async def launch(new: NewShip, tenant: Caller) -> Row:
        return ships.add(tenant, name=new.name)

    @app.get("/ships/{ship_id}")
    async def read(ship_id: str, tenant: Caller) -> Row:
        return ships.own(tenant, ship_id)

    @app.put("/ships/{ship_id}")
    async def rename(ship_id: str, new: NewShip, tenant: Caller) -> Row:
        found = ships.own(tenant, ship_id)
        found["name"] = new.name
        return found

    @app.get("/feed")
    async def feed(tenant: Caller) -> Row:
        for feed in feeds.values():  # the harbour master's log goes on for all
            feed.append({"tick": next(ticks), "text": "the tide was measured"})
        return {"ships": len(ships.of(tenant)), "entries": feeds[tenant][-KEPT:]}

    return Case(app, bearers("acme", "globex"))


def truth(a: Client, b: Client) -> None:
    at = f"/ships/{got(a.post('/ships', json={'name': 'secret'}))['id']}"
    assert got(a.get("/feed")) != got(a.get("/feed"))
    assert b.put(at, json={"name": "graffiti"}).status_code == 404
    assert "secret" not in b.get("/feed").text
    assert got(a.get(at))["name"] == "secret"
