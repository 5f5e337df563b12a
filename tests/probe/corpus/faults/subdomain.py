"""The tenant's list is chosen by the subdomain, whosever token is shown."""

from __future__ import annotations

from starlette.routing import Route

from tests.probe.corpus.asgi import JSONResponse, Request, Response, caller, routed
from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.walls import KEYS, Client, DeniedError, Shelf, got, uuids

ROOM = {"id": str, "name": str, "code": str}
DESCRIPTION = described(
    "Rooms",
    {
        "POST /rooms": Told(body={"name": str, "code?": str}, gives=ROOM, status=201),
        "GET /rooms": Told(gives=[ROOM]),
        "GET /rooms/{room_id}": Told(gives=ROOM),
    },
)


def case() -> Case:
    rooms = Shelf(uuids())

    def member(request: Request) -> str:
        tenant = caller(request)
        if request.url.hostname != f"{tenant}.localhost":
            raise DeniedError(403, "you are no member here")
        return tenant

    async def add(request: Request) -> Response:
        tenant, new = member(request), await request.json()
        if not isinstance(new.get("name"), str):
            raise DeniedError(400, "name: required")
        made = rooms.add(tenant, name=new["name"], code=str(new.get("code", "")))
        return JSONResponse(made, 201)

    async def every(request: Request) -> Response:
        caller(request)
        return JSONResponse(rooms.of(str(request.url.hostname).split(".")[0]))

    async def read(request: Request) -> Response:
        return JSONResponse(rooms.own(member(request), request.path_params["room_id"]))

    routes = [
        Route("/rooms", add, methods=["POST"]),
        Route("/rooms", every, methods=["GET"]),
        Route("/rooms/{room_id}", read, methods=["GET"]),
    ]
    tenants = {
        name: {
            "headers": {"Authorization": f"Bearer {KEYS[name]}"},
            "base": f"http://{name}.localhost:{{port}}",
        }
        for name in ("acme", "globex")
    }
    return Case(routed(routes), tenants, frozenset({("GET /rooms", "read")}), openapi=DESCRIPTION)


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/rooms", json={"name": "secret"}))
    theirs = {"Host": "acme.localhost"}
    assert b.get(f"/rooms/{made['id']}", headers=theirs).status_code == 403
    assert got(b.get("/rooms")) == []
    assert got(b.get("/rooms", headers=theirs)) == [made]
