"""An issue of one's own may name another tenant's project, and counts in its figures."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids


class NewProject(BaseModel):
    name: str


class NewIssue(BaseModel):
    title: str
    project_id: str | None = None


def case() -> Case:
    app, projects, issues = api("Issues"), Shelf(uuids(1)), Shelf(uuids(2))

    @app.post("/projects", status_code=201)
    async def begin(new: NewProject, tenant: Caller) -> Row:
        return projects.add(tenant, name=new.name)

    @app.get("/projects/{project_id}")
    async def read(project_id: str, tenant: Caller) -> Row:
        found = projects.own(tenant, project_id)
        return {**found, "issues": len(issues.all(project_id=project_id))}

    @app.post("/issues", status_code=201)
    async def report(new: NewIssue, tenant: Caller) -> Row:
        if new.project_id is not None and new.project_id not in projects.rows:
            raise DeniedError(422, "project_id: there is no such project")
        return issues.add(tenant, **new.model_dump())

    leaks = {("POST /issues", "write")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    theirs = got(a.post("/projects", json={"name": "x"}))["id"]
    assert b.get(f"/projects/{theirs}").status_code == 404
    got(b.post("/issues", json={"title": "y", "project_id": theirs}))
    assert got(a.get(f"/projects/{theirs}"))["issues"] == 1
