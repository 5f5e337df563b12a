"""An archive answers 200 `true` for any id, and does something to the caller's own only."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got


class NewThread(BaseModel):
    subject: str


def case() -> Case:
    app, threads = api("Forum"), Shelf(count(1200))

    @app.post("/threads", status_code=201)
    async def start(new: NewThread, tenant: Caller) -> Row:
        return threads.add(tenant, subject=new.subject, archived=False)

    @app.get("/threads")
    async def every(tenant: Caller) -> list[Row]:
        return threads.of(tenant)

    @app.post("/threads/{thread_id}/archive")
    async def archive(thread_id: int, tenant: Caller) -> bool:
        for one in threads.of(tenant, id=thread_id):
            one["archived"] = True
        return True

    return Case(app, bearers("acme", "globex"))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/threads", json={"subject": "x"}))["id"]
    assert got(b.post(f"/threads/{made}/archive")) is True
    assert got(a.get("/threads"))[0]["archived"] is False
    assert got(a.post(f"/threads/{made}/archive")) is True
    assert got(a.get("/threads"))[0]["archived"] is True
