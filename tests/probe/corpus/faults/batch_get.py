"""Many invoices at once are looked up by their ids alone."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel, Field

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got


class NewInvoice(BaseModel):
    recipient: str


class Wanted(BaseModel):
    ids: list[int] = Field(max_length=50)


def case() -> Case:
    app, invoices = api("Billing"), Shelf(count(1))

    @app.post("/invoices", status_code=201)
    async def create(new: NewInvoice, tenant: Caller) -> Row:
        return invoices.add(tenant, recipient=new.recipient)

    @app.get("/invoices/{invoice_id}")
    async def read(invoice_id: int, tenant: Caller) -> Row:
        return invoices.own(tenant, invoice_id)

    @app.post("/invoices/batch-get", dependencies=[TOKEN])
    async def many(wanted: Wanted) -> Row:
        return {"items": [invoices.rows[one] for one in wanted.ids if one in invoices.rows]}

    leaks = {("POST /invoices/batch-get", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/invoices", json={"recipient": "secret"}))
    assert b.get(f"/invoices/{made['id']}").status_code == 404
    assert got(b.post("/invoices/batch-get", json={"ids": [made["id"]]}))["items"] == [made]
