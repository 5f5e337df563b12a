"""The tenant is named in a header and in the path, and the membership is asked for both."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header
from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import KEYS, Client, DeniedError, Row, Shelf, got, uuids

ORGANISATIONS = {"acme": "org-7", "globex": "org-8"}


def member(tenant: Caller, org_id: str, x_org_id: Annotated[str, Header()]) -> str:
    if {org_id, x_org_id} != {ORGANISATIONS[tenant]}:
        raise DeniedError(403, "you are no member of this organisation")
    return tenant


Member = Annotated[str, Depends(member)]


class NewCar(BaseModel):
    plate: str


def case() -> Case:
    app, cars = api("Fleet"), Shelf(uuids())

    @app.post("/orgs/{org_id}/cars", status_code=201)
    async def register(new: NewCar, tenant: Member) -> Row:
        return cars.add(tenant, plate=new.plate)

    @app.get("/orgs/{org_id}/cars")
    async def every(tenant: Member) -> list[Row]:
        return cars.of(tenant)

    @app.get("/orgs/{org_id}/cars/{car_id}")
    async def read(car_id: str, tenant: Member) -> Row:
        return cars.own(tenant, car_id)

    tenants = {
        name: {
            "headers": {"Authorization": f"Bearer {KEYS[name]}", "X-Org-Id": organisation},
            "own": {"org_id": organisation},
        }
        for name, organisation in ORGANISATIONS.items()
    }
    return Case(app, tenants)


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/orgs/org-7/cars", json={"plate": "secret"}))["id"]
    theirs = {"X-Org-Id": "org-7"}
    assert b.get("/orgs/org-7/cars", headers=theirs).status_code == 403
    assert b.get("/orgs/org-7/cars").status_code == 403
    assert b.get("/orgs/org-8/cars", headers=theirs).status_code == 403
    assert b.get(f"/orgs/org-8/cars/{made}").status_code == 404
    assert b.get("/orgs/org-0/cars").status_code == 403
