"""Creation and change are done a tenth of a second after the answer, and only for the owner."""

from __future__ import annotations

import asyncio

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, later, prefixed

LATE_S = 0.1


class NewExport(BaseModel):
    label: str


def case() -> Case:
    app, exports, ids = api("Exports"), Shelf(prefixed("unused")), prefixed("exp")

    @app.post("/exports", status_code=202)
    async def order(new: NewExport, tenant: Caller) -> Row:
        made = {"id": next(ids), "label": new.label}
        asyncio.get_running_loop().call_later(LATE_S, lambda: exports.add(tenant, **made))
        return made

    @app.get("/exports/{export_id}")
    async def read(export_id: str, tenant: Caller) -> Row:
        return exports.own(tenant, export_id)

    @app.put("/exports/{export_id}", status_code=202)
    async def rename(export_id: str, new: NewExport, tenant: Caller) -> Row:
        found = exports.own(tenant, export_id)
        asyncio.get_running_loop().call_later(LATE_S, found.update, new.model_dump())
        return {"state": "accepted"}

    return Case(app, bearers("north", "south"))


def truth(a: Client, b: Client) -> None:
    at = f"/exports/{got(a.post('/exports', json={'label': 'x'}))['id']}"
    later(lambda: a.get(at).is_success)
    assert b.put(at, json={"label": "graffiti"}).status_code == 404
    got(a.put(at, json={"label": "y"}))
    later(lambda: got(a.get(at))["label"] == "y")
