"""Everybody's log names flows; those that were there before have no canary in them."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class New(BaseModel):
    title: str


def case() -> Case:
    app, flows = api("Flows"), Shelf(uuids())
    log = [
        {"flow": flows.add(tenant, title=f"the first of {tenant}")["id"], "took_ms": 12}
        for tenant in ("acme", "globex")
    ]

    @app.post("/flows", status_code=201)
    async def create(new: New, tenant: Caller) -> Row:
        return flows.add(tenant, title=new.title)

    @app.get("/flows")
    async def every(tenant: Caller) -> list[Row]:
        return flows.of(tenant)

    @app.get("/flows/{flow_id}")
    async def read(flow_id: str, tenant: Caller) -> Row:
        return flows.own(tenant, flow_id)

    @app.get("/log", dependencies=[TOKEN])
    async def shown() -> list[Row]:
        return log

    return Case(app, bearers("acme", "globex"), frozenset({("GET /log", "read")}))


def truth(a: Client, b: Client) -> None:
    [first] = got(a.get("/flows"))
    assert first["id"] not in {one["id"] for one in got(b.get("/flows"))}
    assert first["id"] in {one["flow"] for one in got(b.get("/log"))}
