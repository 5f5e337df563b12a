"""A change may name another owner: an own machine is put among another tenant's."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got

OWNERS = {"acme": 11, "globex": 12}


class NewMachine(BaseModel):
    label: str


class MachineChange(BaseModel):
    label: str | None = None
    owner_id: int | None = None


def case() -> Case:
    app, machines = api("Machines"), Shelf(count(400))
    names = {number: name for name, number in OWNERS.items()}

    @app.post("/machines", status_code=201)
    async def add(new: NewMachine, tenant: Caller) -> Row:
        return machines.add(tenant, label=new.label, owner_id=OWNERS[tenant])

    @app.get("/machines")
    async def every(tenant: Caller) -> Row:
        return {"items": machines.of(tenant)}

    @app.patch("/machines/{machine_id}")
    async def change(machine_id: int, changed: MachineChange, tenant: Caller) -> Row:
        found = machines.own(tenant, machine_id)
        if changed.owner_id is not None and changed.owner_id not in names:
            raise DeniedError(422, "owner_id: there is no such owner")
        found.update(changed.model_dump(exclude_none=True))
        machines.owners[machine_id] = names[found["owner_id"]]
        return found

    leaks = {("PATCH /machines/{machine_id}", "write")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    mine = got(b.post("/machines", json={"label": "graffiti"}))["id"]
    got(b.patch(f"/machines/{mine}", json={"owner_id": 11}))
    assert [one["label"] for one in got(a.get("/machines"))["items"]] == ["graffiti"]
    theirs = got(a.post("/machines", json={"label": "x"}))["id"]
    assert b.patch(f"/machines/{theirs}", json={"owner_id": 12}).status_code == 404
