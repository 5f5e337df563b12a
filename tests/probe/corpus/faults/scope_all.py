"""`scope=all` means all the world, not all of the team."""

from __future__ import annotations

from itertools import count
from typing import Literal

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got


class NewReport(BaseModel):
    headline: str


def case() -> Case:
    app, reports = api("Reports"), Shelf(count(1))

    @app.post("/reports", status_code=201)
    async def file(new: NewReport, tenant: Caller) -> Row:
        return reports.add(tenant, headline=new.headline)

    @app.get("/reports")
    async def every(tenant: Caller, scope: Literal["mine", "all"] = "mine") -> list[Row]:
        return reports.all() if scope == "all" else reports.of(tenant)

    leaks = {("GET /reports", "read")}
    return Case(app, bearers("globex", "acme"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/reports", json={"headline": "secret"}))
    assert got(b.get("/reports")) == []
    assert got(b.get("/reports", params={"scope": "all"})) == [made]
