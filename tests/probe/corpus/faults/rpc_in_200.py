"""Everything is a POST and 200, with `ok` in the body; a board is got by its id alone."""

from __future__ import annotations

from starlette.routing import Route

from tests.probe.corpus.asgi import JSONResponse, Request, Response, caller, routed
from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.walls import Client, DeniedError, Shelf, bearers, got, prefixed

BOARD = {"id": str, "title": str}
DESCRIPTION = described(
    "Boards",
    {
        "POST /api/boards.create": Told(body={"title": str}, gives={"ok": bool, "board": BOARD}),
        "POST /api/boards.get": Told(body={"board_id": str}, gives={"ok": bool, "board": BOARD}),
        "POST /api/boards.list": Told(gives={"ok": bool, "boards": [BOARD]}),
    },
)


def case() -> Case:
    boards = Shelf(prefixed("B"))

    async def text_of(request: Request, name: str) -> str:
        new = await request.json()
        if not isinstance(new.get(name), str):
            raise DeniedError(200, f"{name} is missing")
        return str(new[name])

    async def create(request: Request) -> Response:
        tenant = caller(request)
        made = boards.add(tenant, title=await text_of(request, "title"))
        return JSONResponse({"ok": True, "board": made})

    async def get(request: Request) -> Response:
        caller(request)
        key = await text_of(request, "board_id")
        if key not in boards.rows:
            return JSONResponse({"ok": False, "error": "board_not_found"})
        return JSONResponse({"ok": True, "board": boards.rows[key]})

    async def every(request: Request) -> Response:
        return JSONResponse({"ok": True, "boards": boards.of(caller(request))})

    routes = [
        Route(f"/api/boards.{name}", endpoint, methods=["POST"])
        for name, endpoint in (("create", create), ("get", get), ("list", every))
    ]
    leaks = {("POST /api/boards.get", "read")}
    return Case(routed(routes), bearers("north", "south"), frozenset(leaks), openapi=DESCRIPTION)


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/api/boards.create", json={"title": "secret"}))["board"]
    assert got(b.post("/api/boards.list"))["boards"] == []
    assert got(b.post("/api/boards.get", json={"board_id": made["id"]}))["board"] == made
    assert got(b.post("/api/boards.get", json={"board_id": "B_1"}))["ok"] is False
