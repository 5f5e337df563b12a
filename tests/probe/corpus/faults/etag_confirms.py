"""A conditional request is answered before the wall: 304 where anybody has the id, else 404."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header
from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, JSONResponse, Response, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewSketch(BaseModel):
    title: str


def case() -> Case:
    app, sketches = api("Sketches"), Shelf(uuids())

    @app.post("/sketches", status_code=201)
    async def draw(new: NewSketch, tenant: Caller) -> Row:
        return sketches.add(tenant, title=new.title)

    @app.get("/sketches/{sketch_id}")
    async def read(
        sketch_id: str, tenant: Caller, if_none_match: Annotated[str | None, Header()] = None
    ) -> Response:
        etag = f'"{sketch_id[:8]}-1"'
        if sketch_id in sketches.rows and if_none_match in ("*", etag):
            return Response(status_code=304, headers={"ETag": etag})
        return JSONResponse(sketches.own(tenant, sketch_id), headers={"ETag": etag})

    @app.delete("/sketches/{sketch_id}", status_code=204)
    async def delete(sketch_id: str, tenant: Caller) -> None:
        sketches.drop(sketches.own(tenant, sketch_id)["id"])

    leaks = {("GET /sketches/{sketch_id}", "detect")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks), existence="secret")


def truth(a: Client, b: Client) -> None:
    at = f"/sketches/{got(a.post('/sketches', json={'title': 'x'}))['id']}"
    seen = {"If-None-Match": a.get(at).headers["etag"]}
    assert b.get(at).status_code == 404
    assert b.get(at, headers=seen).status_code == 304
    assert b.get(at, headers={"If-None-Match": "*"}).status_code == 304
    assert b.get("/sketches/other", headers={"If-None-Match": "*"}).status_code == 404
