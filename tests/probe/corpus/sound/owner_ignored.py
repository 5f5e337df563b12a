"""A body may name an owner, and the answer repeats it; it is the caller's all the same."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class Record(BaseModel):
    model_config = ConfigDict(extra="allow")
    summary: str


def case() -> Case:
    app, records = api("Records"), Shelf(uuids())

    @app.post("/records", status_code=201)
    async def add(new: Record, tenant: Caller) -> Row:
        made = records.add(tenant, summary=new.summary, owner=tenant)
        return {**new.model_dump(), "id": made["id"]}

    @app.get("/records")
    async def every(tenant: Caller) -> list[Row]:
        return records.of(tenant)

    @app.patch("/records/{record_id}")
    async def change(record_id: str, new: Record, tenant: Caller) -> Row:
        records.own(tenant, record_id)["summary"] = new.summary
        return {**new.model_dump(), "id": record_id}

    return Case(app, bearers("acme", "globex"))


def truth(a: Client, b: Client) -> None:
    made = got(b.post("/records", json={"summary": "mine", "owner": "acme"}))
    assert made["owner"] == "acme"
    got(b.patch(f"/records/{made['id']}", json={"summary": "still mine", "owner": "acme"}))
    assert got(a.get("/records")) == []
    assert got(b.get("/records"))[0]["owner"] == "globex"
