"""A job needs one of the levels that a list shows to everybody; the job itself isn't walled."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got

LEVELS = {417: "junior", 418: "senior"}


class New(BaseModel):
    title: str
    level: int


def case() -> Case:
    app, jobs = api("Jobs"), Shelf(count(21))

    @app.get("/levels", dependencies=[TOKEN])
    async def levels() -> list[Row]:
        return [{"id": number, "name": name} for number, name in LEVELS.items()]

    @app.post("/jobs", status_code=201)
    async def create(new: New, tenant: Caller) -> Row:
        if new.level not in LEVELS:
            raise DeniedError(400, f"level: Invalid pk {new.level} - object does not exist.")
        return jobs.add(tenant, **new.model_dump())

    @app.get("/jobs/{job_id}", dependencies=[TOKEN])
    async def read(job_id: int) -> Row:
        return jobs.any(job_id)

    return Case(app, bearers("acme", "globex"), frozenset({("GET /jobs/{job_id}", "read")}))


def truth(a: Client, b: Client) -> None:
    assert a.post("/jobs", json={"title": "x", "level": 1}).status_code == 400
    level = got(b.get("/levels"))[0]["id"]
    job = got(a.post("/jobs", json={"title": "the secret", "level": level}))["id"]
    assert got(b.get(f"/jobs/{job}"))["title"] == "the secret"
