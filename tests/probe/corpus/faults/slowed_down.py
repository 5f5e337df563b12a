"""Behind a limit of requests a second, a bike is changed by its id alone."""

from __future__ import annotations

import time
from collections import Counter

from flask import jsonify, request

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.flasks import Answer, Response, caller, flask_app
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, prefixed

AT_ONCE = 20
BIKE = {"id": str, "model": str}
DESCRIPTION = described(
    "Bikes",
    {
        "POST /bikes": Told(body={"model": str}, gives=BIKE, status=201),
        "GET /bikes/{bike_id}": Told(gives=BIKE),
        "PUT /bikes/{bike_id}": Told(body={"model": str}, status=204),
    },
)


def case() -> Case:
    app, bikes, asked = flask_app("bikes"), Shelf(prefixed("bike")), Counter[tuple[str, int]]()

    @app.before_request
    def limited() -> Answer | None:
        who = request.headers.get("Authorization", ""), int(time.monotonic())
        asked[who] += 1
        if asked[who] <= AT_ONCE:
            return None
        answer = jsonify(error="slow down")
        answer.status_code = 429
        answer.headers["Retry-After"] = "1"
        return answer

    def model() -> str:
        new = request.get_json()
        if not isinstance(new.get("model"), str):
            raise DeniedError(400, "model: required")
        return str(new["model"])

    @app.post("/bikes")
    def buy() -> tuple[Row, int]:
        tenant = caller()
        return bikes.add(tenant, model=model()), 201

    @app.get("/bikes/<bike_id>")
    def read(bike_id: str) -> Row:
        return bikes.own(caller(), bike_id)

    @app.put("/bikes/<bike_id>")
    def change(bike_id: str) -> Answer:
        caller()
        bikes.any(bike_id)["model"] = model()
        return Response(status=204)

    leaks = {("PUT /bikes/{bike_id}", "write")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks), openapi=DESCRIPTION)


def truth(a: Client, b: Client) -> None:
    at = f"/bikes/{got(a.post('/bikes', json={'model': 'x'}))['id']}"
    got(b.put(at, json={"model": "graffiti"}))
    assert got(a.get(at))["model"] == "graffiti"
    assert {b.get(at).status_code for _ in range(AT_ONCE * 3)} == {404, 429}
