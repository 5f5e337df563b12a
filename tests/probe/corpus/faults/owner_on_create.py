"""A new lead belongs to the organisation that its body names, although none is asked for."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewLead(BaseModel):
    model_config = ConfigDict(extra="allow")
    company: str


def case() -> Case:
    app, leads = api("Sales"), Shelf(uuids())

    @app.post("/leads", status_code=201)
    async def add(new: NewLead, tenant: Caller) -> Row:
        fields = {"org_id": tenant, **new.model_dump()}
        return leads.add(str(fields["org_id"]), org_id=fields["org_id"], company=new.company)

    @app.get("/leads")
    async def every(tenant: Caller) -> list[Row]:
        return leads.of(tenant)

    @app.delete("/leads/{lead_id}", status_code=204)
    async def delete(lead_id: str, tenant: Caller) -> None:
        leads.drop(leads.own(tenant, lead_id)["id"])

    leaks = {("POST /leads", "write")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    assert got(a.post("/leads", json={"company": "x"}))["org_id"] == "acme"
    got(b.post("/leads", json={"company": "graffiti", "org_id": "acme"}))
    assert [one["company"] for one in got(a.get("/leads"))] == ["x", "graffiti"]
