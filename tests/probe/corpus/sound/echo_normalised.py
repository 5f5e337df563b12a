"""A refusal quotes the id as it was understood: in lower case, without what surrounds it."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids


class NewShipment(BaseModel):
    contents: str


class Named(BaseModel):
    shipment_id: UUID


def case() -> Case:
    app, shipments = api("Shipments"), Shelf(uuids())

    def own(tenant: str, shipment_id: UUID) -> Row:
        if shipments.owners.get(str(shipment_id)) != tenant:
            raise DeniedError(404, f"you have no shipment {shipment_id}")
        return shipments.rows[str(shipment_id)]

    @app.post("/shipments", status_code=201)
    async def send(new: NewShipment, tenant: Caller) -> Row:
        return shipments.add(tenant, contents=new.contents)

    @app.get("/shipments/{shipment_id}")
    async def read(shipment_id: UUID, tenant: Caller) -> Row:
        return own(tenant, shipment_id)

    @app.post("/shipments/track")
    async def track(named: Named, tenant: Caller) -> Row:
        return {"track": own(tenant, named.shipment_id)["contents"]}

    return Case(app, bearers("acme", "globex"))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/shipments", json={"contents": "secret"}))["id"]
    for spelled in (made.upper(), made.replace("-", ""), f"%7B{made}%7D"):
        refused = b.get(f"/shipments/{spelled}")
        assert refused.status_code == 404
        assert made in refused.text
        assert "secret" not in refused.text
    assert got(a.post("/shipments/track", json={"shipment_id": made}))["track"] == "secret"
