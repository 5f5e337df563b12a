"""A list's DELETE takes ids in a body of which nothing is said; they may be anybody's."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, Request, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got


class New(BaseModel):
    text: str


def case() -> Case:
    app, labels = api("Labels"), Shelf(count(31))

    @app.post("/labels", status_code=201)
    async def create(new: New, tenant: Caller) -> Row:
        return labels.add(tenant, text=new.text)

    @app.get("/labels")
    async def every(tenant: Caller) -> list[Row]:
        return labels.of(tenant)

    @app.get("/labels/{label_id}")
    async def read(label_id: int, tenant: Caller) -> Row:
        return labels.own(tenant, label_id)

    @app.delete("/labels", status_code=204)
    async def clear(request: Request, tenant: Caller) -> None:
        del tenant
        for one in (await request.json())["ids"]:
            labels.drop(one)

    return Case(app, bearers("acme", "globex"), frozenset({("DELETE /labels", "destroy")}))


def truth(a: Client, b: Client) -> None:
    mine = got(a.post("/labels", json={"text": "x"}))["id"]
    assert b.get(f"/labels/{mine}").status_code == 404
    got(b.request("DELETE", "/labels", json={"ids": [mine]}))
    assert a.get(f"/labels/{mine}").status_code == 404
