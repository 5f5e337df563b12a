"""A check may be started by anybody; only its owner's log of runs shows it."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewCheck(BaseModel):
    target: str


def case() -> Case:
    app, checks, runs = api("Monitoring"), Shelf(uuids()), Shelf(count(1))

    @app.post("/checks", status_code=201)
    async def add(new: NewCheck, tenant: Caller) -> Row:
        return checks.add(tenant, target=new.target)

    @app.post("/checks/{check_id}/run", status_code=202, dependencies=[TOKEN])
    async def run(check_id: str) -> dict[str, bool]:
        checks.any(check_id)
        runs.add(checks.owners[check_id], check=check_id)
        return {"started": True}

    @app.get("/checks/{check_id}/runs")
    async def log(check_id: str, tenant: Caller) -> list[Row]:
        checks.own(tenant, check_id)
        return runs.all(check=check_id)

    leaks = {("POST /checks/{check_id}/run", "write")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    at = f"/checks/{got(a.post('/checks', json={'target': 'x'}))['id']}"
    assert b.get(f"{at}/runs").status_code == 404
    assert b.post("/checks/other/run").status_code == 404
    assert b.post(f"{at}/run").status_code == 202
    assert len(got(a.get(f"{at}/runs"))) == 1
