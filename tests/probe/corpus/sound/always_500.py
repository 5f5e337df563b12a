"""One operation fails for everybody: of it nothing can be said, of the others all."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got


class NewMeter(BaseModel):
    place: str


def case() -> Case:
    app, meters = api("Meters"), Shelf(count(5))

    @app.post("/meters", status_code=201)
    async def install(new: NewMeter, tenant: Caller) -> Row:
        return meters.add(tenant, place=new.place)

    @app.get("/meters/{meter_id}")
    async def read(meter_id: int, tenant: Caller) -> Row:
        return meters.own(tenant, meter_id)

    @app.get("/meters/{meter_id}/report", dependencies=[TOKEN])
    async def report(meter_id: int) -> Row:
        raise DeniedError(500, f"the report of meter {meter_id} failed")

    undecided = {"GET /meters/{meter_id}/report"}
    return Case(app, bearers("acme", "globex"), undecided=frozenset(undecided))


def truth(a: Client, b: Client) -> None:
    at = f"/meters/{got(a.post('/meters', json={'place': 'x'}))['id']}"
    assert b.get(at).status_code == 404
    assert a.get(f"{at}/report").status_code == b.get("/meters/1/report").status_code == 500
