"""Organisation and project in the path are checked, the task at its end is not."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, prefixed

ORGANISATIONS = {"acme": "org_a71", "globex": "org_g20"}


class NewProject(BaseModel):
    name: str


class NewTask(BaseModel):
    title: str


def case() -> Case:
    app, projects, tasks = api("Work"), Shelf(prefixed("prj")), Shelf(prefixed("task", 9))
    base = "/orgs/{org_id}/projects"

    def member(org_id: str, tenant: str) -> None:
        if ORGANISATIONS[tenant] != org_id:
            raise DeniedError(404, "not found")

    @app.post(base, status_code=201)
    async def begin(org_id: str, new: NewProject, tenant: Caller) -> Row:
        member(org_id, tenant)
        return projects.add(tenant, name=new.name)

    @app.post(base + "/{project_id}/tasks", status_code=201)
    async def add(org_id: str, project_id: str, new: NewTask, tenant: Caller) -> Row:
        member(org_id, tenant)
        projects.own(tenant, project_id)
        return tasks.add(tenant, title=new.title, done=False)

    @app.get(base + "/{project_id}/tasks/{task_id}")
    async def read(org_id: str, project_id: str, task_id: str, tenant: Caller) -> Row:
        member(org_id, tenant)
        projects.own(tenant, project_id)
        return tasks.own(tenant, task_id)

    @app.delete(base + "/{project_id}/tasks/{task_id}", status_code=204)
    async def delete(org_id: str, project_id: str, task_id: str, tenant: Caller) -> None:
        member(org_id, tenant)
        projects.own(tenant, project_id)
        tasks.drop(tasks.any(task_id)["id"])

    leaks = {("DELETE /orgs/{org_id}/projects/{project_id}/tasks/{task_id}", "destroy")}
    tenants = bearers(*ORGANISATIONS, org_id=tuple(ORGANISATIONS.values()))
    return Case(app, tenants, frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    theirs = "/orgs/org_a71/projects"
    theirs += f"/{got(a.post(theirs, json={'name': 'x'}))['id']}/tasks"
    mine = "/orgs/org_g20/projects"
    mine += f"/{got(b.post(mine, json={'name': 'y'}))['id']}/tasks"
    task = got(a.post(theirs, json={"title": "secret"}))["id"]
    assert b.delete(f"{theirs}/{task}").status_code == 404
    assert b.get(f"{mine}/{task}").status_code == 404
    got(b.delete(f"{mine}/{task}"))
    assert a.get(f"{theirs}/{task}").status_code == 404
