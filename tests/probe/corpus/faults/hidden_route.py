"""An operation that the description leaves out isn't walled; the route table has it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids

if TYPE_CHECKING:
    from fastapi import FastAPI


class NewAccount(BaseModel):
    holder: str


def application() -> FastAPI:
    app, accounts = api("Accounts"), Shelf(uuids())

    @app.post("/accounts", status_code=201)
    async def enter(new: NewAccount, tenant: Caller) -> Row:
        return accounts.add(tenant, holder=new.holder)

    @app.get("/accounts/{account_id}")
    async def read(account_id: UUID, tenant: Caller) -> Row:
        return accounts.own(tenant, str(account_id))

    @app.get("/internal/accounts/{account_id}", include_in_schema=False, dependencies=[TOKEN])
    async def inspect(account_id: UUID) -> Row:
        return accounts.any(str(account_id))

    return app


app = application()


def case() -> Case:
    return Case(
        application(),
        bearers("acme", "globex"),
        leaks=frozenset({("GET /internal/accounts/{account_id}", "read")}),
        routes="tests.probe.corpus.faults.hidden_route:app",
    )


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/accounts", json={"holder": "secret"}))
    assert b.get(f"/accounts/{made['id']}").status_code == 404
    assert got(b.get(f"/internal/accounts/{made['id']}")) == made
    assert "internal" not in b.get("/openapi.json").text
