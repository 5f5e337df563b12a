"""Emptying one's own tray empties everybody's."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewFax(BaseModel):
    text: str


def case() -> Case:
    app, tray = api("Fax"), Shelf(uuids())

    @app.post("/faxes", status_code=201)
    async def receive(new: NewFax, tenant: Caller) -> Row:
        return tray.add(tenant, text=new.text)

    @app.get("/faxes")
    async def every(tenant: Caller) -> list[Row]:
        return tray.of(tenant)

    @app.delete("/faxes", status_code=204, dependencies=[TOKEN])
    async def empty() -> None:
        for one in tray.all():
            tray.drop(one["id"])

    leaks = {("DELETE /faxes", "destroy")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    got(a.post("/faxes", json={"text": "x"}))
    assert got(b.get("/faxes")) == []
    got(b.delete("/faxes"))
    assert got(a.get("/faxes")) == []
