"""An order's lines name products deep inside the body; the answer shows any product's name."""

from __future__ import annotations

from pydantic import BaseModel, Field

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed, uuids


class NewProduct(BaseModel):
    name: str


class Reference(BaseModel):
    id: str


class Line(BaseModel):
    product: Reference
    quantity: int = Field(default=1, ge=1, le=99)


class NewOrder(BaseModel):
    lines: list[Line] = Field(min_length=1)


def case() -> Case:
    app, products, orders = api("Orders"), Shelf(prefixed("prod")), Shelf(uuids())

    @app.post("/products", status_code=201)
    async def add(new: NewProduct, tenant: Caller) -> Row:
        return products.add(tenant, name=new.name)

    @app.get("/products/{product_id}")
    async def read(product_id: str, tenant: Caller) -> Row:
        return products.own(tenant, product_id)

    @app.post("/orders", status_code=201)
    async def order(new: NewOrder, tenant: Caller) -> Row:
        lines = [
            {"name": products.any(line.product.id)["name"], "quantity": line.quantity}
            for line in new.lines
        ]
        return orders.add(tenant, lines=lines)

    leaks = {("POST /orders", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    product = got(a.post("/products", json={"name": "secret"}))["id"]
    assert b.get(f"/products/{product}").status_code == 404
    order = got(b.post("/orders", json={"lines": [{"product": {"id": product}}]}))
    assert order["lines"] == [{"name": "secret", "quantity": 1}]
