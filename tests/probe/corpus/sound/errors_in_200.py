"""Everything is 200: whether it went well stands in the body."""

from __future__ import annotations

from starlette.routing import Route

from tests.probe.corpus.asgi import JSONResponse, Request, Response, caller, routed
from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.walls import Client, DeniedError, Shelf, bearers, got, prefixed

TASK = {"id": str, "title": str}
DESCRIPTION = described(
    "To do",
    {
        "POST /api/tasks.create": Told(body={"title": str}, gives={"ok": bool, "task": TASK}),
        "POST /api/tasks.get": Told(body={"task_id": str}, gives={"ok": bool, "task": TASK}),
        "POST /api/tasks.delete": Told(body={"task_id": str}, gives={"ok": bool}),
    },
)


def case() -> Case:
    tasks = Shelf(prefixed("T"))

    async def text_of(request: Request, name: str) -> str:
        new = await request.json()
        if not isinstance(new.get(name), str):
            raise DeniedError(200, f"{name} is missing")
        return str(new[name])

    async def create(request: Request) -> Response:
        tenant = caller(request)
        made = tasks.add(tenant, title=await text_of(request, "title"))
        return JSONResponse({"ok": True, "task": made})

    async def get(request: Request) -> Response:
        tenant, key = caller(request), await text_of(request, "task_id")
        if tasks.owners.get(key) != tenant:
            return JSONResponse({"ok": False, "error": "task_not_found"})
        return JSONResponse({"ok": True, "task": tasks.rows[key]})

    async def delete(request: Request) -> Response:
        tenant, key = caller(request), await text_of(request, "task_id")
        if tasks.owners.get(key) != tenant:
            return JSONResponse({"ok": False, "error": "task_not_found"})
        tasks.drop(key)
        return JSONResponse({"ok": True})

    at = "/api/tasks."
    routes = [Route(f"{at}{one.__name__}", one, methods=["POST"]) for one in (create, get, delete)]
    return Case(routed(routes), bearers("north", "south"), openapi=DESCRIPTION)


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/api/tasks.create", json={"title": "secret"}))["task"]
    named = {"task_id": made["id"]}
    for action in ("get", "delete"):
        assert got(b.post(f"/api/tasks.{action}", json=named))["ok"] is False
    assert got(a.post("/api/tasks.get", json=named)) == {"ok": True, "task": made}
