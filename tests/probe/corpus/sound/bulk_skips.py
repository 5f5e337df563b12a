"""Many at once: what isn't the caller's is left out without a word, in reading and in writing."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed


class NewAlert(BaseModel):
    message: str


class Named(BaseModel):
    ids: list[str]


def case() -> Case:
    app, alerts = api("Alerts"), Shelf(prefixed("alr"))

    @app.post("/alerts", status_code=201)
    async def raise_one(new: NewAlert, tenant: Caller) -> Row:
        return alerts.add(tenant, message=new.message, seen=False)

    @app.post("/alerts/lookup")
    async def lookup(named: Named, tenant: Caller) -> Row:
        return {"alerts": [one for one in alerts.of(tenant) if one["id"] in named.ids]}

    @app.post("/alerts/acknowledge")
    async def acknowledge(named: Named, tenant: Caller) -> Row:
        for one in alerts.of(tenant):
            one["seen"] = one["seen"] or one["id"] in named.ids
        return {"acknowledged": len(named.ids)}

    return Case(app, bearers("north", "south"))


def truth(a: Client, b: Client) -> None:
    named = {"ids": [got(a.post("/alerts", json={"message": "x"}))["id"]]}
    assert got(b.post("/alerts/lookup", json=named)) == {"alerts": []}
    assert got(b.post("/alerts/acknowledge", json=named)) == {"acknowledged": 1}
    assert [one["seen"] for one in got(a.post("/alerts/lookup", json=named))["alerts"]] == [False]
