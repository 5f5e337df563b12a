"""A form logs in and leaves a cookie; a subscriber is taken off any list, whosever it is."""

from __future__ import annotations

from flask import request

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.flasks import Answer, Response, flask_app
from tests.probe.corpus.walls import KEYS, Client, DeniedError, Row, Shelf, got, tenant_of, uuids

FORM = "application/x-www-form-urlencoded"
SUBSCRIBER = {"id": str, "email": str}
DESCRIPTION = described(
    "Newsletters",
    {
        "POST /session": Told(body={"user": str, "password": str}, media=FORM, open=True),
        "POST /subscribers": Told(body={"email": str}, gives=SUBSCRIBER, status=201),
        "GET /subscribers": Told(gives=[SUBSCRIBER]),
        "DELETE /subscribers/{subscriber_id}": Told(status=204),
    },
    scheme={"type": "apiKey", "in": "cookie", "name": "sid"},
)


def case() -> Case:
    app, subscribers = flask_app("newsletters"), Shelf(uuids())

    def caller() -> str:
        return tenant_of(request.cookies.get("sid"))

    @app.post("/session")
    def log_in() -> Answer:
        user = request.form.get("user", "")
        if user not in KEYS or request.form.get("password") != f"{user}'s":
            raise DeniedError(401, "this is not you")
        answer = Response('{"welcome": true}', content_type="application/json")
        answer.set_cookie("sid", KEYS[user])
        return answer

    @app.post("/subscribers")
    def subscribe() -> tuple[Row, int]:
        tenant, new = caller(), request.get_json()
        if not isinstance(new.get("email"), str):
            raise DeniedError(400, "email: required")
        return subscribers.add(tenant, email=new["email"]), 201

    @app.get("/subscribers")
    def every() -> list[Row]:
        return subscribers.of(caller())

    @app.delete("/subscribers/<subscriber_id>")
    def take_off(subscriber_id: str) -> Answer:
        caller()
        subscribers.drop(subscribers.any(subscriber_id)["id"])
        return Response(status=204)

    tenants = {
        name: {
            "login": {
                "request": {
                    "method": "POST",
                    "path": "/session",
                    "form": {"user": name, "password": f"{name}'s"},
                }
            }
        }
        for name in ("acme", "globex")
    }
    return Case(
        app,
        tenants,
        leaks=frozenset({("DELETE /subscribers/{subscriber_id}", "destroy")}),
        openapi=DESCRIPTION,
        undecided=frozenset({"POST /session"}),
    )


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/subscribers", json={"email": "ann@example.com"}))["id"]
    assert got(b.get("/subscribers")) == []
    got(b.delete(f"/subscribers/{made}"))
    assert got(a.get("/subscribers")) == []
