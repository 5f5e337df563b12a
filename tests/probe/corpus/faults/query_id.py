"""The receipt that a query parameter names is anybody's."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got


class NewReceipt(BaseModel):
    purpose: str
    cents: int


def case() -> Case:
    app, receipts = api("Expenses"), Shelf(count(88_000))

    @app.post("/receipts", status_code=201)
    async def hand_in(new: NewReceipt, tenant: Caller) -> Row:
        return {"receipt_id": receipts.add(tenant, **new.model_dump())["id"]}

    @app.get("/receipts")
    async def every(tenant: Caller) -> list[Row]:
        return receipts.of(tenant)

    @app.get("/receipt", dependencies=[TOKEN])
    async def read(receipt_id: int) -> Row:
        return receipts.any(receipt_id)

    leaks = {("GET /receipt", "read")}
    return Case(app, bearers("globex", "acme"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/receipts", json={"purpose": "secret", "cents": 5}))["receipt_id"]
    assert got(b.get("/receipts")) == []
    assert got(b.get("/receipt", params={"receipt_id": made}))["purpose"] == "secret"
