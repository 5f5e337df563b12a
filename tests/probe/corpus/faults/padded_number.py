"""A number with a zero before it passes the wall, which compares texts."""

from __future__ import annotations

from itertools import count

from flask import request

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.flasks import caller, flask_app
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got

LOAN = {"id": int, "reader": str, "title": str}
DESCRIPTION = described(
    "Library",
    {
        "POST /loans": Told(body={"reader": str, "title": str}, gives=LOAN, status=201),
        "GET /loans": Told(gives={"loans": [LOAN]}),
        "GET /loans/{number}": Told(ids={"number": int}, gives=LOAN),
    },
)


def case() -> Case:
    app, loans = flask_app("library"), Shelf(count(217))

    @app.post("/loans")
    def lend() -> tuple[Row, int]:
        tenant, new = caller(), request.get_json()
        if not all(isinstance(new.get(name), str) for name in ("reader", "title")):
            raise DeniedError(400, "reader and title are required")
        return loans.add(tenant, reader=new["reader"], title=new["title"]), 201

    @app.get("/loans")
    def every() -> Row:
        return {"loans": loans.of(caller())}

    @app.get("/loans/<number>")
    def read(number: str) -> Row:
        tenant = caller()
        others = [str(one) for one, owner in loans.owners.items() if owner != tenant]
        if number in others or not number.isdecimal():
            raise DeniedError(404, "not found")
        return loans.any(int(number))

    return Case(
        app,
        bearers("north", "south"),
        leaks=frozenset({("GET /loans/{number}", "read")}),
        openapi=DESCRIPTION,
    )


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/loans", json={"reader": "Ann", "title": "secret"}))
    assert b.get(f"/loans/{made['id']}").status_code == 404
    assert got(b.get(f"/loans/0{made['id']}")) == made
