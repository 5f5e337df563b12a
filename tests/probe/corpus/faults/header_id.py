"""A basket is named in a header, and given to whoever names it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header
from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewBasket(BaseModel):
    label: str


class Item(BaseModel):
    article: str


def case() -> Case:
    app, baskets = api("Baskets"), Shelf(uuids())

    @app.post("/baskets", status_code=201)
    async def take(new: NewBasket, tenant: Caller) -> Row:
        made = baskets.add(tenant, label=new.label, items=[])
        return {"basket_id": made["id"]}

    @app.get("/basket", dependencies=[TOKEN])
    async def look(x_basket_id: Annotated[str, Header()]) -> Row:
        return baskets.any(x_basket_id)

    @app.post("/basket/items")
    async def put(item: Item, x_basket_id: Annotated[str, Header()], tenant: Caller) -> Row:
        basket = baskets.own(tenant, x_basket_id)
        basket["items"].append(item.article)
        return basket

    leaks = {("GET /basket", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    named = {"X-Basket-Id": got(a.post("/baskets", json={"label": "secret"}))["basket_id"]}
    assert b.post("/basket/items", json={"article": "x"}, headers=named).status_code == 404
    assert got(b.get("/basket", headers=named))["label"] == "secret"
