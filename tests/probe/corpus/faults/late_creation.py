"""What is created is there a tenth of a second later, and then for everybody who knows its id."""

from __future__ import annotations

import asyncio

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, later, uuids

LATE_S = 0.1


class NewBackup(BaseModel):
    label: str


def case() -> Case:
    app, backups, ids = api("Backups"), Shelf(uuids()), uuids(8)

    @app.post("/backups", status_code=202)
    async def order(new: NewBackup, tenant: Caller) -> Row:
        made = {"id": next(ids), "label": new.label}
        asyncio.get_running_loop().call_later(LATE_S, lambda: backups.add(tenant, **made))
        return {"id": made["id"], "state": "ordered"}

    @app.get("/backups/{backup_id}", dependencies=[TOKEN])
    async def read(backup_id: str) -> Row:
        return backups.any(backup_id)

    @app.delete("/backups/{backup_id}", status_code=204)
    async def delete(backup_id: str, tenant: Caller) -> None:
        backups.drop(backups.own(tenant, backup_id)["id"])

    leaks = {("GET /backups/{backup_id}", "read")}
    return Case(app, bearers("umbrella", "initech"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    at = f"/backups/{got(a.post('/backups', json={'label': 'secret'}))['id']}"
    later(lambda: b.get(at).is_success)
    assert got(b.get(at))["label"] == "secret"
    assert b.delete(at).status_code == 404
