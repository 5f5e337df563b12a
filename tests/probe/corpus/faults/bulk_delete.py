"""Many messages at once are deleted by their ids alone."""

from __future__ import annotations

from flask import request

from tests.probe.corpus.case import Case
from tests.probe.corpus.describing import Told, described
from tests.probe.corpus.flasks import caller, flask_app
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, prefixed

MESSAGE = {"messageId": str, "text": str}
DESCRIPTION = described(
    "Inbox",
    {
        "POST /messages": Told(body={"text": str}, gives=MESSAGE, status=201),
        "GET /messages": Told(gives={"messages": [MESSAGE]}),
        "POST /messages/delete": Told(body={"messageIds": [str]}, gives={"ok": bool}),
    },
)


def case() -> Case:
    app, messages = flask_app("inbox"), Shelf(prefixed("msg"))

    def shown(row: Row) -> Row:
        return {"messageId": row["id"], "text": row["text"]}

    @app.post("/messages")
    def send() -> tuple[Row, int]:
        tenant, new = caller(), request.get_json()
        if not isinstance(new.get("text"), str):
            raise DeniedError(400, "text: required")
        return shown(messages.add(tenant, text=new["text"])), 201

    @app.get("/messages")
    def every() -> Row:
        return {"messages": [shown(one) for one in messages.of(caller())]}

    @app.post("/messages/delete")
    def delete() -> Row:
        caller()
        named = request.get_json().get("messageIds")
        if not isinstance(named, list):
            raise DeniedError(400, "messageIds: a list is required")
        for one in named:
            messages.drop(one)
        return {"ok": True}

    return Case(
        app,
        bearers("acme", "globex"),
        leaks=frozenset({("POST /messages/delete", "destroy")}),
        openapi=DESCRIPTION,
    )


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/messages", json={"text": "keep me"}))
    assert got(b.get("/messages")) == {"messages": []}
    got(b.post("/messages/delete", json={"messageIds": [made["messageId"]]}))
    assert got(a.get("/messages")) == {"messages": []}
