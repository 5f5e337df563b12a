"""What isn't the caller's is answered with 200 and `null`, and so is what isn't at all."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewPolicy(BaseModel):
    insured: str


def case() -> Case:
    app, policies = api("Insurance"), Shelf(uuids())

    @app.post("/policies", status_code=201)
    async def sign(new: NewPolicy, tenant: Caller) -> Row:
        return policies.add(tenant, insured=new.insured)

    @app.get("/policies/{policy_id}")
    async def read(policy_id: UUID, tenant: Caller) -> Row | None:
        found = str(policy_id)
        return policies.rows[found] if policies.owners.get(found) == tenant else None

    return Case(app, bearers("acme", "globex"))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/policies", json={"insured": "x"}))
    assert got(a.get(f"/policies/{made['id']}")) == made
    assert got(b.get(f"/policies/{made['id']}")) is None
    assert got(b.get("/policies/6f1c2d34-58a7-4a0e-9a53-0d9c1f7e2b11")) is None
