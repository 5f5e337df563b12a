"""Jobs have a state, which moves on by itself a while after they were made."""

from __future__ import annotations

import time

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, later, uuids

STATES = ("queued", "running", "done")
STATE_S = 0.4


class NewJob(BaseModel):
    label: str


def case() -> Case:
    app, jobs, begun = api("Jobs"), Shelf(uuids()), dict[str, float]()

    def told(job: Row) -> Row:
        age = int((time.monotonic() - begun[job["id"]]) / STATE_S)
        return job | {"state": STATES[min(age, len(STATES) - 1)]}

    @app.post("/jobs", status_code=202)
    async def start(new: NewJob, tenant: Caller) -> Row:
        job = jobs.add(tenant, label=new.label)
        begun[job["id"]] = time.monotonic()
        return told(job)

    @app.get("/jobs")
    async def every(tenant: Caller) -> list[Row]:
        return [told(job) for job in jobs.of(tenant)]

    @app.get("/jobs/{job_id}")
    async def read(job_id: str, tenant: Caller) -> Row:
        return told(jobs.own(tenant, job_id))

    @app.put("/jobs/{job_id}")
    async def rename(job_id: str, new: NewJob, tenant: Caller) -> Row:
        job = jobs.own(tenant, job_id)
        job["label"] = new.label
        return told(job)

    return Case(app, bearers("north", "south"))


def truth(a: Client, b: Client) -> None:
    at = f"/jobs/{got(a.post('/jobs', json={'label': 'x'}))['id']}"
    assert b.get(at).status_code == b.put(at, json={"label": "y"}).status_code == 404
    later(lambda: got(a.get(at))["state"] == "done")
    assert got(a.get(at))["label"] == "x"
