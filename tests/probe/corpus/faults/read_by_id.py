"""An invoice is read by its id alone."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewInvoice(BaseModel):
    title: str
    total_cents: int = 0


class Invoice(NewInvoice):
    id: UUID


def case() -> Case:
    app, invoices = api("Invoices"), Shelf(uuids())

    @app.post("/invoices", status_code=201, response_model=Invoice)
    async def create(new: NewInvoice, tenant: Caller) -> Row:
        return invoices.add(tenant, **new.model_dump())

    @app.get("/invoices", response_model=list[Invoice])
    async def every(tenant: Caller) -> list[Row]:
        return invoices.of(tenant)

    @app.get("/invoices/{invoice_id}", response_model=Invoice, dependencies=[TOKEN])
    async def read(invoice_id: UUID) -> Row:
        return invoices.any(str(invoice_id))

    @app.delete("/invoices/{invoice_id}", status_code=204)
    async def delete(invoice_id: UUID, tenant: Caller) -> None:
        invoices.drop(invoices.own(tenant, str(invoice_id))["id"])

    leaks = {("GET /invoices/{invoice_id}", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/invoices", json={"title": "for the bank"}))
    assert got(b.get(f"/invoices/{made['id']}")) == made
    assert b.delete(f"/invoices/{made['id']}").status_code == 404
    assert got(b.get("/invoices")) == []
