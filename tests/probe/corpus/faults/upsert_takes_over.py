"""A PUT under a slug of one's choice takes over whatever stands there."""

from __future__ import annotations

from flask import request

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.flasks import Answer, Response, caller, flask_app
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids

PAGE = {"slug": str, "body": str}
DESCRIPTION = described(
    "Pages",
    {
        "PUT /pages/{slug}": Told(body={"body": str}, status=204),
        "GET /pages/{slug}": Told(gives=PAGE),
        "GET /pages": Told(gives=[PAGE]),
    },
)


def case() -> Case:
    app, pages = flask_app("pages"), Shelf(uuids())

    @app.put("/pages/<slug>")
    def put(slug: str) -> Answer:
        tenant, new = caller(), request.get_json()
        if not isinstance(new.get("body"), str):
            raise DeniedError(400, "body: required")
        pages.add(tenant, id=slug, body=new["body"])
        return Response(status=204)

    @app.get("/pages/<slug>")
    def read(slug: str) -> Row:
        return {"slug": slug, "body": pages.own(caller(), slug)["body"]}

    @app.get("/pages")
    def every() -> list[Row]:
        return [{"slug": one["id"], "body": one["body"]} for one in pages.of(caller())]

    return Case(
        app,
        bearers("acme", "globex"),
        leaks=frozenset({("PUT /pages/{slug}", "destroy")}),
        also=frozenset({("PUT /pages/{slug}", "write")}),
        openapi=DESCRIPTION,
    )


def truth(a: Client, b: Client) -> None:
    got(a.put("/pages/welcome", json={"body": "hello"}))
    assert b.get("/pages/welcome").status_code == 404
    got(b.put("/pages/welcome", json={"body": "mine"}))
    assert a.get("/pages/welcome").status_code == 404
    assert got(b.get("/pages/welcome"))["body"] == "mine"
