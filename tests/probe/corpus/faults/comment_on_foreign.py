"""Anybody may comment on any ticket; its owner finds the comment there."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed, uuids


class NewTicket(BaseModel):
    subject: str


class NewComment(BaseModel):
    text: str


def case() -> Case:
    app, tickets, comments = api("Support"), Shelf(prefixed("tkt")), Shelf(uuids())

    @app.post("/tickets", status_code=201)
    async def open_ticket(new: NewTicket, tenant: Caller) -> Row:
        return tickets.add(tenant, subject=new.subject)

    @app.post("/tickets/{ticketId}/comments", status_code=201)
    async def comment(ticketId: str, new: NewComment, tenant: Caller) -> Row:  # noqa: N803 - the API's
        tickets.any(ticketId)
        return comments.add(tenant, ticketId=ticketId, text=new.text)

    @app.get("/tickets/{ticketId}/comments")
    async def discussion(ticketId: str, tenant: Caller) -> Row:  # noqa: N803 - the API's
        tickets.own(tenant, ticketId)
        return {"comments": comments.all(ticketId=ticketId)}

    leaks = {("POST /tickets/{ticketId}/comments", "write")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    at = f"/tickets/{got(a.post('/tickets', json={'subject': 'x'}))['id']}/comments"
    assert b.get(at).status_code == 404
    got(b.post(at, json={"text": "graffiti"}))
    assert [one["text"] for one in got(a.get(at))["comments"]] == ["graffiti"]
