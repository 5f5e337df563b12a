"""The tenant is named in a header; the list of assets believes it, all else checks the member."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header
from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import KEYS, Client, DeniedError, Row, Shelf, got, uuids

ORGANISATIONS = {"north": "org-41", "south": "org-42"}


def named(x_org_id: Annotated[str, Header()]) -> str:
    if x_org_id not in ORGANISATIONS.values():
        raise DeniedError(403, "you are no member of this organisation")
    return x_org_id


def checked(tenant: Caller, x_org_id: Annotated[str, Header()]) -> str:
    if ORGANISATIONS[tenant] != x_org_id:
        raise DeniedError(403, "you are no member of this organisation")
    return x_org_id


Named = Annotated[str, Depends(named)]
Checked = Annotated[str, Depends(checked)]


class NewAsset(BaseModel):
    name: str
    place: str = ""


def case() -> Case:
    app, assets = api("Assets"), Shelf(uuids())

    @app.post("/assets", status_code=201)
    async def add(new: NewAsset, organisation: Checked) -> Row:
        return assets.add(organisation, **new.model_dump())

    @app.get("/assets", dependencies=[TOKEN])
    async def every(organisation: Named) -> list[Row]:
        return assets.of(organisation)

    @app.get("/assets/{asset_id}")
    async def read(asset_id: str, organisation: Checked) -> Row:
        return assets.own(organisation, asset_id)

    tenants = {
        name: {"headers": {"Authorization": f"Bearer {KEYS[name]}", "X-Org-Id": organisation}}
        for name, organisation in ORGANISATIONS.items()
    }
    return Case(app, tenants, frozenset({("GET /assets", "read")}))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/assets", json={"name": "secret"}))
    theirs = {"X-Org-Id": "org-41"}
    assert b.get(f"/assets/{made['id']}", headers=theirs).status_code == 403
    assert got(b.get("/assets")) == []
    assert got(b.get("/assets", headers=theirs)) == [made]
