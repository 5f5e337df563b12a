"""Orders are the caller's, unless a customer is named: then that customer's, whosever it is."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got


class NewCustomer(BaseModel):
    name: str


class NewOrder(BaseModel):
    customer_id: int
    remark: str = ""


def case() -> Case:
    app, customers, orders = api("Shop"), Shelf(count(300)), Shelf(count(7000))

    @app.post("/customers", status_code=201)
    async def welcome(new: NewCustomer, tenant: Caller) -> Row:
        return customers.add(tenant, name=new.name)

    @app.post("/orders", status_code=201)
    async def order(new: NewOrder, tenant: Caller) -> Row:
        customers.own(tenant, new.customer_id)
        return orders.add(tenant, **new.model_dump())

    @app.get("/orders")
    async def every(tenant: Caller, customer_id: int | None = None) -> list[Row]:
        if customer_id is None:
            return orders.of(tenant)
        return orders.all(customer_id=customer_id)

    leaks = {("GET /orders", "read")}
    return Case(app, bearers("umbrella", "initech"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    customer = got(a.post("/customers", json={"name": "Ann"}))["id"]
    order = got(a.post("/orders", json={"customer_id": customer, "remark": "secret"}))
    assert b.post("/orders", json={"customer_id": customer}).status_code == 404
    assert got(b.get("/orders")) == []
    assert got(b.get("/orders", params={"customer_id": customer})) == [order]
