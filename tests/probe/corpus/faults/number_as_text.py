"""A number given as a text passes the wall, which asks for the number's owner."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got


class NewPayment(BaseModel):
    purpose: str


class Named(BaseModel):
    payment_id: int | str


def case() -> Case:
    app, payments = api("Payments"), Shelf(count(2001))

    @app.post("/payments", status_code=201)
    async def pay(new: NewPayment, tenant: Caller) -> Row:
        return payments.add(tenant, purpose=new.purpose)

    @app.get("/payments")
    async def every(tenant: Caller) -> list[Row]:
        return payments.of(tenant)

    @app.post("/payments/details")
    async def details(named: Named, tenant: Caller) -> Row:
        number = named.payment_id
        if payments.owners.get(number, tenant) != tenant or not str(number).isdecimal():
            raise DeniedError(404, "not found")
        return payments.any(int(number))

    leaks = {("POST /payments/details", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/payments", json={"purpose": "secret"}))
    named = {"payment_id": made["id"]}
    assert got(a.post("/payments/details", json=named)) == made
    assert b.post("/payments/details", json=named).status_code == 404
    assert got(b.post("/payments/details", json={"payment_id": str(made["id"])})) == made
