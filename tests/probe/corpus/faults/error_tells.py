"""The refusal to change another tenant's trip quotes what it is about."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids


class Trip(BaseModel):
    destination: str


def case() -> Case:
    app, trips = api("Travel"), Shelf(uuids())

    @app.post("/trips", status_code=201)
    async def book(new: Trip, tenant: Caller) -> Row:
        return trips.add(tenant, destination=new.destination)

    @app.get("/trips/{trip_id}")
    async def read(trip_id: UUID, tenant: Caller) -> Row:
        return trips.own(tenant, str(trip_id))

    @app.put("/trips/{trip_id}")
    async def change(trip_id: UUID, new: Trip, tenant: Caller) -> Row:
        found = trips.any(str(trip_id))
        if trips.owners[str(trip_id)] != tenant:
            raise DeniedError(403, f"the trip to {found['destination']} isn't yours")
        found.update(new.model_dump())
        return found

    leaks = {("PUT /trips/{trip_id}", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    at = f"/trips/{got(a.post('/trips', json={'destination': 'a secret place'}))['id']}"
    assert b.get(at).status_code == 404
    refused = b.put(at, json={"destination": "elsewhere"})
    assert refused.status_code == 403
    assert "a secret place" in refused.text
    assert got(a.get(at))["destination"] == "a secret place"
