"""A delete says 403 where another tenant has the id; everything else says 404."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids


class Claim(BaseModel):
    damage: str


def case() -> Case:
    app, claims = api("Claims"), Shelf(uuids())

    @app.post("/claims", status_code=201)
    async def file(new: Claim, tenant: Caller) -> Row:
        return claims.add(tenant, damage=new.damage)

    @app.get("/claims/{claim_id}")
    async def read(claim_id: UUID, tenant: Caller) -> Row:
        return claims.own(tenant, str(claim_id))

    @app.put("/claims/{claim_id}")
    async def change(claim_id: UUID, new: Claim, tenant: Caller) -> Row:
        found = claims.own(tenant, str(claim_id))
        found.update(new.model_dump())
        return found

    @app.delete("/claims/{claim_id}", status_code=204)
    async def withdraw(claim_id: UUID, tenant: Caller) -> None:
        claims.any(str(claim_id))
        if claims.owners[str(claim_id)] != tenant:
            raise DeniedError(403, "this claim isn't yours")
        claims.drop(str(claim_id))

    leaks = {("DELETE /claims/{claim_id}", "detect")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    at = f"/claims/{got(a.post('/claims', json={'damage': 'x'}))['id']}"
    nobodys = "/claims/6f1c2d34-58a7-4a0e-9a53-0d9c1f7e2b11"
    assert [b.get(one).status_code for one in (at, nobodys)] == [404, 404]
    assert [b.delete(one).status_code for one in (at, nobodys)] == [403, 404]
    assert a.get(at).is_success
