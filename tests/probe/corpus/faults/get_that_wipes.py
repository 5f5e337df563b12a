"""A GET that is said to refresh the caller's cache throws away everybody's links."""

from __future__ import annotations

from flask import request

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.flasks import caller, flask_app
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, prefixed

LINK = {"id": str, "url": str}
DESCRIPTION = described(
    "Links",
    {
        "POST /links": Told(body={"url": str}, gives=LINK, status=201),
        "GET /links": Told(gives=[LINK]),
        "GET /links/refresh": Told(gives={"refreshed": bool}),
    },
)


def case() -> Case:
    app, links = flask_app("links"), Shelf(prefixed("lnk"))

    @app.post("/links")
    def shorten() -> tuple[Row, int]:
        tenant, new = caller(), request.get_json()
        if not isinstance(new.get("url"), str):
            raise DeniedError(400, "url: required")
        return links.add(tenant, url=new["url"]), 201

    @app.get("/links")
    def every() -> list[Row]:
        return links.of(caller())

    @app.get("/links/refresh")
    def refresh() -> Row:
        caller()
        for one in links.all():
            links.drop(one["id"])
        return {"refreshed": True}

    return Case(
        app,
        bearers("north", "south"),
        leaks=frozenset({("GET /links/refresh", "destroy")}),
        openapi=DESCRIPTION,
    )


def truth(a: Client, b: Client) -> None:
    got(a.post("/links", json={"url": "https://example.com/x"}))
    assert got(b.get("/links")) == []
    got(b.get("/links/refresh"))
    assert got(a.get("/links")) == []
