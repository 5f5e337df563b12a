"""The project in the path is checked, the task under it is looked up among all."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed, uuids


class NewProject(BaseModel):
    name: str


class NewTask(BaseModel):
    title: str
    notes: str = ""


def case() -> Case:
    app, projects, tasks = api("Planner"), Shelf(prefixed("proj")), Shelf(uuids())

    @app.post("/projects", status_code=201)
    async def found_project(new: NewProject, tenant: Caller) -> Row:
        return projects.add(tenant, name=new.name)

    @app.post("/projects/{project_id}/tasks", status_code=201)
    async def add_task(project_id: str, new: NewTask, tenant: Caller) -> Row:
        projects.own(tenant, project_id)
        return tasks.add(tenant, project_id=project_id, **new.model_dump())

    @app.get("/projects/{project_id}/tasks/{task_id}")
    async def read_task(project_id: str, task_id: str, tenant: Caller) -> Row:
        projects.own(tenant, project_id)
        return tasks.any(task_id)

    leaks = {("GET /projects/{project_id}/tasks/{task_id}", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    theirs = got(a.post("/projects", json={"name": "theirs"}))["id"]
    mine = got(b.post("/projects", json={"name": "mine"}))["id"]
    task = got(a.post(f"/projects/{theirs}/tasks", json={"title": "secret"}))
    assert b.get(f"/projects/{theirs}/tasks/{task['id']}").status_code == 404
    assert got(b.get(f"/projects/{mine}/tasks/{task['id']}")) == task
