"""A message is fetched by an id in the body, whosever it is."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewMessage(BaseModel):
    text: str


class Named(BaseModel):
    message_id: str


def case() -> Case:
    app, messages = api("Messages"), Shelf(uuids())

    @app.post("/messages/send")
    async def send(new: NewMessage, tenant: Caller) -> Row:
        return {"ok": True, "message": messages.add(tenant, text=new.text)}

    @app.post("/messages/get", dependencies=[TOKEN])
    async def get(named: Named) -> Row:
        return {"ok": True, "message": messages.any(named.message_id)}

    @app.post("/messages/remove")
    async def remove(named: Named, tenant: Caller) -> Row:
        messages.drop(messages.own(tenant, named.message_id)["id"])
        return {"ok": True}

    leaks = {("POST /messages/get", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/messages/send", json={"text": "secret"}))["message"]
    named = {"message_id": made["id"]}
    assert b.post("/messages/remove", json=named).status_code == 404
    assert got(b.post("/messages/get", json=named))["message"] == made
