"""Countries and plans are the same for all; what is chosen among them is one's own."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids

PLANS = {one["id"]: one for one in ({"id": 1, "name": "Small"}, {"id": 2, "name": "Large"})}
COUNTRIES = [{"code": "CH", "name": "Switzerland"}, {"code": "PT", "name": "Portugal"}]


class NewSubscription(BaseModel):
    plan_id: int
    remark: str = ""


def case() -> Case:
    app, subscriptions = api("Subscriptions"), Shelf(uuids())

    @app.get("/countries", dependencies=[TOKEN])
    async def countries() -> list[Row]:
        return COUNTRIES

    @app.get("/plans", dependencies=[TOKEN])
    async def plans() -> list[Row]:
        return list(PLANS.values())

    @app.get("/plans/{plan_id}", dependencies=[TOKEN])
    async def plan(plan_id: int) -> Row:
        if plan_id not in PLANS:
            raise DeniedError(404, "not found")
        return PLANS[plan_id]

    @app.post("/subscriptions", status_code=201)
    async def subscribe(new: NewSubscription, tenant: Caller) -> Row:
        if new.plan_id not in PLANS:
            raise DeniedError(422, "plan_id: there is no such plan")
        return subscriptions.add(tenant, **new.model_dump(), plan=PLANS[new.plan_id]["name"])

    @app.get("/subscriptions/{subscription_id}")
    async def read(subscription_id: str, tenant: Caller) -> Row:
        return subscriptions.own(tenant, subscription_id)

    common = frozenset({"GET /countries", "GET /plans", "GET /plans/{plan_id}"})
    return Case(app, bearers("acme", "globex"), common=common)


def truth(a: Client, b: Client) -> None:
    assert got(a.get("/plans")) == got(b.get("/plans"))
    assert got(b.get("/countries"))[0]["code"] == "CH"
    made = got(a.post("/subscriptions", json={"plan_id": 1}))["id"]
    assert b.get(f"/subscriptions/{made}").status_code == 404
