"""Many tickets at once get a status, by their ids alone; the answer says nothing."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, Response, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids


class NewTicket(BaseModel):
    summary: str


class Change(BaseModel):
    ticket_ids: list[UUID]
    status: Literal["open", "closed", "waiting"]


def case() -> Case:
    app, tickets = api("Service"), Shelf(uuids())

    @app.post("/tickets", status_code=201)
    async def open_ticket(new: NewTicket, tenant: Caller) -> Row:
        return tickets.add(tenant, summary=new.summary, status="open")

    @app.get("/tickets/{ticket_id}")
    async def read(ticket_id: UUID, tenant: Caller) -> Row:
        return tickets.own(tenant, str(ticket_id))

    @app.post("/tickets/bulk", status_code=204, dependencies=[TOKEN])
    async def change(wanted: Change) -> Response:
        for one in map(str, wanted.ticket_ids):
            if one in tickets.rows:
                tickets.rows[one]["status"] = wanted.status
        return Response(status_code=204)

    leaks = {("POST /tickets/bulk", "write")}
    return Case(app, bearers("umbrella", "initech"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/tickets", json={"summary": "x"}))["id"]
    got(b.post("/tickets/bulk", json={"ticket_ids": [made], "status": "closed"}))
    assert got(a.get(f"/tickets/{made}"))["status"] == "closed"
    assert b.get(f"/tickets/{made}").status_code == 404
