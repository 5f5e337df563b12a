"""Canvases are for the team unless said otherwise; the list hides nobody's, private or not."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed


class NewCanvas(BaseModel):
    name: str
    access: Literal["team", "private", "public"] = "team"


def case() -> Case:
    app, canvases = api("Canvas"), Shelf(prefixed("cnv"))

    @app.post("/canvases", status_code=201)
    async def make(new: NewCanvas, tenant: Caller) -> Row:
        return {"data": canvases.add(tenant, **new.model_dump())}

    @app.get("/canvases", dependencies=[TOKEN])
    async def every() -> Row:
        return {"data": canvases.all(), "next": None}

    @app.get("/canvases/{canvas_id}")
    async def read(canvas_id: str, tenant: Caller) -> Row:
        return {"data": canvases.own(tenant, canvas_id)}

    return Case(app, bearers("acme", "globex"), frozenset({("GET /canvases", "read")}))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/canvases", json={"name": "secret", "access": "private"}))["data"]
    assert b.get(f"/canvases/{made['id']}").status_code == 404
    assert made in got(b.get("/canvases"))["data"]
