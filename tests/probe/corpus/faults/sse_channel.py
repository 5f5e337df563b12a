"""Server-sent events tell the steps of a build to whoever names it, and stay open for a while."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from starlette.responses import StreamingResponse
from starlette.routing import Route

from tests.probe.corpus.asgi import JSONResponse, Request, Response, caller, routed
from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.walls import Client, DeniedError, Shelf, bearers, got, prefixed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OPEN_S = 0.3
BUILD = {"id": str, "branch": str}
DESCRIPTION = described(
    "Builds",
    {
        "POST /builds": Told(body={"branch": str}, gives=BUILD, status=201),
        "GET /builds/{build_id}": Told(gives=BUILD),
        "GET /builds/{build_id}/events": Told(),
    },
)


def case() -> Case:
    builds = Shelf(prefixed("build"))

    async def start(request: Request) -> Response:
        tenant, new = caller(request), await request.json()
        if not isinstance(new.get("branch"), str):
            raise DeniedError(400, "branch: required")
        return JSONResponse(builds.add(tenant, branch=new["branch"]), 201)

    async def read(request: Request) -> Response:
        return JSONResponse(builds.own(caller(request), request.path_params["build_id"]))

    async def steps(branch: str) -> AsyncIterator[str]:
        yield f"event: step\ndata: {json.dumps({'step': 1, 'checked_out': branch})}\n\n"
        await asyncio.sleep(OPEN_S)
        yield ": still here\n\n"

    async def events(request: Request) -> Response:
        caller(request)
        found = builds.any(request.path_params["build_id"])
        return StreamingResponse(steps(found["branch"]), media_type="text/event-stream")

    routes = [
        Route("/builds", start, methods=["POST"]),
        Route("/builds/{build_id}", read, methods=["GET"]),
        Route("/builds/{build_id}/events", events, methods=["GET"]),
    ]
    return Case(
        routed(routes),
        bearers("initech", "umbrella"),
        leaks=frozenset({("GET /builds/{build_id}/events", "read")}),
        openapi=DESCRIPTION,
    )


def truth(a: Client, b: Client) -> None:
    at = f"/builds/{got(a.post('/builds', json={'branch': 'secret'}))['id']}"
    assert b.get(at).status_code == 404
    assert '"checked_out": "secret"' in b.get(f"{at}/events").text
