"""A scale tells nothing but numbers, to anybody, each time with a time and a number of its own."""

from __future__ import annotations

import time
from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got


class Weight(BaseModel):
    grams: int


def case() -> Case:
    app, scales, answers = api("Scales"), Shelf(count(33)), count(1)

    @app.post("/weights", status_code=201)
    async def weigh(new: Weight, tenant: Caller) -> Row:
        return {"id": scales.add(tenant, grams=new.grams)["id"]}

    @app.patch("/weights/{weight_id}", status_code=204)
    async def correct(weight_id: int, new: Weight, tenant: Caller) -> None:
        scales.own(tenant, weight_id)["grams"] = new.grams

    @app.get("/weights/{weight_id}", dependencies=[TOKEN])
    async def read(weight_id: int) -> Row:
        grams = scales.any(weight_id)["grams"]
        return {"grams": grams, "served_at": time.time(), "answer": next(answers)}

    leaks = {("GET /weights/{weight_id}", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    at = f"/weights/{got(a.post('/weights', json={'grams': 812}))['id']}"
    assert b.patch(at, json={"grams": 1}).status_code == 404
    assert got(b.get(at))["grams"] == 812
    got(a.patch(at, json={"grams": 97}))
    assert got(b.get(at))["grams"] == 97
    assert b.get("/weights/1").status_code == 404
