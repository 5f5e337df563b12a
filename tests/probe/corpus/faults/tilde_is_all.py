"""A list under `~`, which means "any workspace" to the router, is everybody's."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids


class NewFlag(BaseModel):
    label: str
    purpose: str = ""


def case() -> Case:
    app, flags = api("Flags"), Shelf(uuids())
    base = "/workspaces/{workspace_id}/flags"

    def member(workspace_id: str, tenant: str) -> None:
        if workspace_id != f"ws-{tenant}":
            raise DeniedError(404, "not found")

    @app.post(base, status_code=201)
    async def add(workspace_id: str, new: NewFlag, tenant: Caller) -> Row:
        member(workspace_id, tenant)
        return flags.add(tenant, **new.model_dump())

    @app.get(base)
    async def every(workspace_id: str, tenant: Caller) -> Row:
        if workspace_id == "~":
            return {"items": flags.all()}
        member(workspace_id, tenant)
        return {"items": flags.of(tenant)}

    tenants = bearers("acme", "globex", workspace_id=("ws-acme", "ws-globex"))
    return Case(app, tenants, frozenset({("GET /workspaces/{workspace_id}/flags", "read")}))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/workspaces/ws-acme/flags", json={"label": "secret"}))
    assert b.get("/workspaces/ws-acme/flags").status_code == 404
    assert got(b.get("/workspaces/~/flags"))["items"] == [made]
