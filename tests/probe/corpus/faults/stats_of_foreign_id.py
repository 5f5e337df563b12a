"""A project's figures are told for any project's id: numbers only."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed, uuids


class NewProject(BaseModel):
    name: str


class NewIssue(BaseModel):
    title: str
    done: bool = False


def case() -> Case:
    app, projects, issues = api("Tracker"), Shelf(prefixed("proj")), Shelf(uuids())

    @app.post("/projects", status_code=201)
    async def begin(new: NewProject, tenant: Caller) -> Row:
        return projects.add(tenant, name=new.name)

    @app.post("/projects/{project_id}/issues", status_code=201)
    async def report(project_id: str, new: NewIssue, tenant: Caller) -> Row:
        projects.own(tenant, project_id)
        return issues.add(tenant, project_id=project_id, **new.model_dump())

    @app.get("/projects/{project_id}/stats", dependencies=[TOKEN])
    async def stats(project_id: str) -> dict[str, int]:
        projects.any(project_id)
        done = len(issues.all(project_id=project_id, done=True))
        return {"open": len(issues.all(project_id=project_id)) - done, "done": done}

    leaks = {("GET /projects/{project_id}/stats", "read")}
    return Case(app, bearers("north", "south"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    theirs = f"/projects/{got(a.post('/projects', json={'name': 'x'}))['id']}"
    assert b.post(f"{theirs}/issues", json={"title": "y"}).status_code == 404
    assert got(b.get(f"{theirs}/stats")) == {"open": 0, "done": 0}
    got(a.post(f"{theirs}/issues", json={"title": "y"}))
    assert got(b.get(f"{theirs}/stats")) == got(a.get(f"{theirs}/stats")) == {"open": 1, "done": 0}
    assert b.get("/projects/proj_0/stats").status_code == 404
