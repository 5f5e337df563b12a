"""Who asks too much is told to come back in a second: 429 is no refusal of the id."""

from __future__ import annotations

import time
from collections import Counter

from fastapi import Depends
from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, JSONResponse, Request, Response, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed

AT_ONCE = 12
WINDOW_S = 1


class NewRun(BaseModel):
    label: str


class Slow(Exception):  # noqa: N818 - what is said to the client
    """Too many requests in this window."""


class Limit:
    """So many requests a window for each who asks."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, int]] = Counter()

    async def __call__(self, request: Request) -> None:
        who = request.headers.get("authorization", ""), int(time.monotonic() / WINDOW_S)
        self.asked[who] += 1
        if self.asked[who] > AT_ONCE:
            raise Slow


def case() -> Case:
    app, runs = api("Runs"), Shelf(prefixed("run"))
    app.router.dependencies.append(Depends(Limit()))

    @app.exception_handler(Slow)
    async def slow(_: Request, __: Slow) -> Response:
        return JSONResponse({"detail": "slow down"}, 429, {"Retry-After": str(WINDOW_S)})

    @app.post("/runs", status_code=201)
    async def start(new: NewRun, tenant: Caller) -> Row:
        return runs.add(tenant, label=new.label)

    @app.get("/runs/{run_id}")
    async def read(run_id: str, tenant: Caller) -> Row:
        return runs.own(tenant, run_id)

    return Case(app, bearers("acme", "globex"))


def truth(a: Client, b: Client) -> None:
    at = f"/runs/{got(a.post('/runs', json={'label': 'x'}))['id']}"
    statuses = [b.get(at).status_code for _ in range(AT_ONCE * 3)]
    assert set(statuses) == {404, 429}
