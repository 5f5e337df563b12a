"""A delete answers 204 whatever it is asked, and takes away the caller's own only."""

from __future__ import annotations

from flask import request

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.flasks import Answer, Response, caller, flask_app
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids

WEBHOOK = {"id": str, "url": str}
DESCRIPTION = described(
    "Webhooks",
    {
        "POST /webhooks": Told(body={"url": str}, gives=WEBHOOK, status=201),
        "GET /webhooks": Told(gives={"items": [WEBHOOK], "total": int}),
        "DELETE /webhooks/{webhook_id}": Told(status=204),
    },
)


def case() -> Case:
    app, webhooks = flask_app("webhooks"), Shelf(uuids())

    @app.post("/webhooks")
    def add() -> tuple[Row, int]:
        tenant, new = caller(), request.get_json()
        if not isinstance(new.get("url"), str):
            raise DeniedError(400, "url: required")
        return webhooks.add(tenant, url=new["url"]), 201

    @app.get("/webhooks")
    def every() -> Row:
        found = webhooks.of(caller())
        return {"items": found, "total": len(found)}

    @app.delete("/webhooks/<webhook_id>")
    def delete(webhook_id: str) -> Answer:
        for one in webhooks.of(caller(), id=webhook_id):
            webhooks.drop(one["id"])
        return Response(status=204)

    return Case(app, bearers("acme", "globex"), openapi=DESCRIPTION)


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/webhooks", json={"url": "https://example.com"}))
    assert b.delete(f"/webhooks/{made['id']}").status_code == 204
    assert got(a.get("/webhooks"))["items"] == [made]
    assert a.delete(f"/webhooks/{made['id']}").status_code == 204
    assert got(a.get("/webhooks"))["items"] == []
