"""A PUT under a slug of one's choice: each tenant has its own pages, of the same names."""

from __future__ import annotations

from flask import request

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.flasks import Answer, Response, caller, flask_app
from tests.probe.corpus.walls import Client, DeniedError, Row, bearers, got

PAGE = {"slug": str, "text": str}
DESCRIPTION = described(
    "Sites",
    {
        "PUT /sites/{slug}": Told(body={"text": str}, gives=PAGE),
        "GET /sites/{slug}": Told(gives=PAGE),
        "DELETE /sites/{slug}": Told(status=204),
    },
)


def case() -> Case:
    app = flask_app("sites")
    sites: dict[tuple[str, str], str] = {}

    def own(slug: str) -> tuple[str, str]:
        if (key := (caller(), slug)) not in sites:
            raise DeniedError(404, "not found")
        return key

    @app.put("/sites/<slug>")
    def put(slug: str) -> Row:
        tenant, new = caller(), request.get_json()
        if not isinstance(new.get("text"), str):
            raise DeniedError(400, "text: required")
        sites[tenant, slug] = new["text"]
        return {"slug": slug, "text": new["text"]}

    @app.get("/sites/<slug>")
    def read(slug: str) -> Row:
        return {"slug": slug, "text": sites[own(slug)]}

    @app.delete("/sites/<slug>")
    def delete(slug: str) -> Answer:
        del sites[own(slug)]
        return Response(status=204)

    return Case(app, bearers("acme", "globex"), openapi=DESCRIPTION)


def truth(a: Client, b: Client) -> None:
    got(a.put("/sites/home", json={"text": "theirs"}))
    assert b.get("/sites/home").status_code == 404
    got(b.put("/sites/home", json={"text": "mine"}))
    got(b.delete("/sites/home"))
    assert got(a.get("/sites/home"))["text"] == "theirs"
