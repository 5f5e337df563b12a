"""No description at all: a Flask application whose route table is all that is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from tests.probe.corpus.case import Case
from tests.probe.corpus.flasks import caller, flask_app
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids

if TYPE_CHECKING:
    from flask import Flask


def application() -> Flask:
    app, badges = flask_app("badges"), Shelf(uuids())

    @app.post("/badges")
    def make() -> tuple[Row, int]:
        tenant, new = caller(), request.get_json()
        if not isinstance(new.get("name"), str):
            raise DeniedError(400, "name: a text is required")
        return badges.add(tenant, name=new["name"]), 201

    @app.get("/badges")
    def every() -> list[Row]:
        return badges.of(caller())

    @app.get("/badges/<uuid:badge_id>")
    def read(badge_id: object) -> Row:
        caller()
        return badges.any(str(badge_id))

    return app


app = application()


def case() -> Case:
    return Case(
        application(),
        bearers("acme", "globex"),
        leaks=frozenset({("GET /badges/{badge_id}", "read")}),
        openapi={},
        routes="tests.probe.corpus.faults.undescribed_flask:app",
    )


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/badges", json={"name": "secret"}))
    assert got(b.get("/badges")) == []
    assert got(b.get(f"/badges/{made['id']}")) == made
