"""A UUID in upper case passes the wall, which looks for its owner as it was typed."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids


class NewContract(BaseModel):
    partner: str
    terms: str = ""


def case() -> Case:
    app, contracts = api("Contracts"), Shelf(uuids())

    @app.post("/contracts", status_code=201)
    async def sign(new: NewContract, tenant: Caller) -> Row:
        return contracts.add(tenant, **new.model_dump())

    @app.get("/contracts")
    async def every(tenant: Caller) -> list[Row]:
        return contracts.of(tenant)

    @app.get("/contracts/{contract_id}")
    async def read(contract_id: str, tenant: Caller) -> Row:
        if contracts.owners.get(contract_id, tenant) != tenant:
            raise DeniedError(404, "not found")
        return contracts.any(contract_id.lower())

    leaks = {("GET /contracts/{contract_id}", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/contracts", json={"partner": "secret"}))
    assert b.get(f"/contracts/{made['id']}").status_code == 404
    assert got(b.get(f"/contracts/{made['id'].upper()}")) == made
