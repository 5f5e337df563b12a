"""A device's id is matched as a pattern: `*` stands for everybody's."""

from __future__ import annotations

from fnmatch import fnmatchcase

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, prefixed


class NewDevice(BaseModel):
    model: str
    owner_note: str = ""


def case() -> Case:
    app, devices = api("Devices"), Shelf(prefixed("dev"))

    @app.post("/devices", status_code=201)
    async def enrol(new: NewDevice, tenant: Caller) -> Row:
        return devices.add(tenant, **new.model_dump())

    @app.get("/devices/{device_id}")
    async def read(device_id: str, tenant: Caller) -> Row:
        if device_id in devices.rows:
            return {"devices": [devices.own(tenant, device_id)]}
        found = [one for one in devices.all() if fnmatchcase(one["id"], device_id)]
        if not found:
            raise DeniedError(404, "not found")
        return {"devices": found}

    leaks = {("GET /devices/{device_id}", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/devices", json={"model": "secret"}))["id"]
    assert b.get(f"/devices/{made}").status_code == 404
    assert got(b.get("/devices/*"))["devices"][0]["model"] == "secret"
