"""A project's key is unique among all tenants: 409 tells that another one has it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids


class NewProject(BaseModel):
    key: str = Field(min_length=2, max_length=60)
    title: str = ""


def case() -> Case:
    app, projects = api("Portfolio"), Shelf(uuids())

    @app.post("/projects", status_code=201)
    async def begin(new: NewProject, tenant: Caller) -> Row:
        if projects.all(key=new.key):
            raise DeniedError(409, "this key is taken")
        return projects.add(tenant, **new.model_dump())

    @app.get("/projects/{project_id}")
    async def read(project_id: str, tenant: Caller) -> Row:
        return projects.own(tenant, project_id)

    @app.delete("/projects/{project_id}", status_code=204)
    async def end(project_id: str, tenant: Caller) -> None:
        projects.drop(projects.own(tenant, project_id)["id"])

    leaks = {("POST /projects", "detect")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/projects", json={"key": "merger"}))
    assert b.get(f"/projects/{made['id']}").status_code == 404
    assert b.post("/projects", json={"key": "merger"}).status_code == 409
    got(b.post("/projects", json={"key": "another"}))
