"""Answers are cached for each tenant alone, and 304 is for who may read."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header
from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, JSONResponse, Response, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewMap(BaseModel):
    legend: str


def case() -> Case:
    app, maps, cache = api("Maps"), Shelf(uuids()), dict[tuple[str, str], Row]()

    @app.post("/maps", status_code=201)
    async def draw(new: NewMap, tenant: Caller) -> Row:
        return maps.add(tenant, legend=new.legend)

    @app.get("/maps/{map_id}")
    async def read(
        map_id: str, tenant: Caller, if_none_match: Annotated[str | None, Header()] = None
    ) -> Response:
        if (tenant, map_id) not in cache:
            cache[tenant, map_id] = dict(maps.own(tenant, map_id))
        tagged = {"ETag": f'"{map_id[:6]}"', "Cache-Control": "private", "Vary": "Authorization"}
        if if_none_match in ("*", tagged["ETag"]):
            return Response(status_code=304, headers=tagged)
        return JSONResponse(cache[tenant, map_id], headers=tagged)

    return Case(app, bearers("initech", "umbrella"), existence="secret")


def truth(a: Client, b: Client) -> None:
    at = f"/maps/{got(a.post('/maps', json={'legend': 'secret'}))['id']}"
    seen = {"If-None-Match": a.get(at).headers["etag"]}
    assert a.get(at, headers=seen).status_code == 304
    assert b.get(at).status_code == b.get(at, headers=seen).status_code == 404
