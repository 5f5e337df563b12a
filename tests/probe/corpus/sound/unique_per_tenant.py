"""A name is unique among the tenant's own: 409 tells what the caller knows."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, Field

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids


class NewCampaign(BaseModel):
    name: str = Field(min_length=1, max_length=80)


def case() -> Case:
    app, campaigns = api("Campaigns"), Shelf(uuids())

    @app.post("/campaigns", status_code=201)
    async def begin(new: NewCampaign, tenant: Caller) -> Row:
        if campaigns.of(tenant, name=new.name):
            raise DeniedError(409, "you have a campaign of this name")
        return campaigns.add(tenant, name=new.name)

    @app.get("/campaigns/{campaign_id}")
    async def read(campaign_id: UUID, tenant: Caller) -> Row:
        return campaigns.own(tenant, str(campaign_id))

    return Case(app, bearers("acme", "globex"), existence="secret")


def truth(a: Client, b: Client) -> None:
    for one in (a, b):
        got(one.post("/campaigns", json={"name": "spring"}))
        assert one.post("/campaigns", json={"name": "spring"}).status_code == 409
