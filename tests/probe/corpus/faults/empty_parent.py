"""Without anything between the slashes the wall finds no team to check, and all are shown."""

from __future__ import annotations

from starlette.routing import Route

from tests.probe.corpus.asgi import JSONResponse, Request, Response, caller, routed
from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.walls import Client, DeniedError, Shelf, bearers, got, prefixed

GOAL = {"id": str, "title": str}
DESCRIPTION = described(
    "Goals",
    {
        "POST /teams/{team}/goals": Told(body={"title": str}, gives=GOAL, status=201),
        "GET /teams/{team}/goals": Told(gives=[GOAL]),
    },
)


def case() -> Case:
    goals = Shelf(prefixed("goal"))

    def member(request: Request) -> str:
        tenant, team = caller(request), request.path_params["team"]
        if team and team != tenant:
            raise DeniedError(403, "you are not in this team")
        return str(team)

    async def add(request: Request) -> Response:
        team, new = member(request), await request.json()
        if not team or not isinstance(new.get("title"), str):
            raise DeniedError(400, "a team and a title are required")
        return JSONResponse(goals.add(team, title=new["title"]), 201)

    async def every(request: Request) -> Response:
        team = member(request)
        return JSONResponse(goals.of(team) if team else goals.all())

    at = "/teams/{team:path}/goals"
    routes = [Route(at, add, methods=["POST"]), Route(at, every, methods=["GET"])]
    return Case(
        routed(routes),
        bearers("acme", "globex", team=("acme", "globex")),
        leaks=frozenset({("GET /teams/{team}/goals", "read")}),
        openapi=DESCRIPTION,
    )


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/teams/acme/goals", json={"title": "secret"}))
    assert b.get("/teams/acme/goals").status_code == 403
    assert got(b.get("/teams//goals")) == [made]
