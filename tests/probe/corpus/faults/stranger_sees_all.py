"""Who is a member of no tenant has no filter either: the list is everybody's."""

from __future__ import annotations

from starlette.routing import Route

from tests.probe.corpus.asgi import JSONResponse, Request, Response, caller, routed
from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.walls import OUTSIDER, Client, DeniedError, Shelf, bearers, got, prefixed

SURVEY = {"id": str, "question": str}
DESCRIPTION = described(
    "Surveys",
    {
        "POST /surveys": Told(body={"question": str}, gives=SURVEY, status=201),
        "GET /surveys": Told(gives={"data": [SURVEY]}),
        "GET /surveys/{survey_id}": Told(gives={"data": SURVEY}),
    },
)
STRANGER = {"Authorization": f"Bearer {OUTSIDER}"}


def case() -> Case:
    surveys = Shelf(prefixed("sv"))

    async def ask(request: Request) -> Response:
        tenant, new = caller(request), await request.json()
        if not isinstance(new.get("question"), str):
            raise DeniedError(400, "question: required")
        return JSONResponse(surveys.add(tenant, question=new["question"]), 201)

    async def every(request: Request) -> Response:
        if request.headers.get("authorization") == STRANGER["Authorization"]:
            return JSONResponse({"data": surveys.all()})
        return JSONResponse({"data": surveys.of(caller(request))})

    async def read(request: Request) -> Response:
        found = surveys.own(caller(request), request.path_params["survey_id"])
        return JSONResponse({"data": found})

    routes = [
        Route("/surveys", ask, methods=["POST"]),
        Route("/surveys", every, methods=["GET"]),
        Route("/surveys/{survey_id}", read, methods=["GET"]),
    ]
    return Case(
        routed(routes),
        bearers("acme", "globex"),
        leaks=frozenset({("GET /surveys", "read")}),
        openapi=DESCRIPTION,
        stranger=STRANGER,
    )


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/surveys", json={"question": "secret"}))
    assert got(b.get("/surveys")) == {"data": []}
    assert b.get(f"/surveys/{made['id']}", headers=STRANGER).status_code == 401
    assert got(b.get("/surveys", headers=STRANGER)) == {"data": [made]}
