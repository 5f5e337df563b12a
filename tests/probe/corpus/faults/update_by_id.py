"""A ticket is changed by its id alone; the answer is empty."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel, Field

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got


class NewTicket(BaseModel):
    subject: str = Field(min_length=3, max_length=200)
    urgent: bool = False


class TicketChange(BaseModel):
    subject: str | None = Field(default=None, min_length=3, max_length=200)
    urgent: bool | None = None


def case() -> Case:
    app, tickets = api("Help desk"), Shelf(count(1041))

    @app.post("/api/tickets", status_code=201)
    async def create(new: NewTicket, tenant: Caller) -> Row:
        return tickets.add(tenant, **new.model_dump())

    @app.get("/api/tickets/{ticket_id}")
    async def read(ticket_id: int, tenant: Caller) -> Row:
        return tickets.own(tenant, ticket_id)

    @app.patch("/api/tickets/{ticket_id}", status_code=204, dependencies=[TOKEN])
    async def change(ticket_id: int, changed: TicketChange) -> None:
        tickets.any(ticket_id).update(changed.model_dump(exclude_none=True))

    leaks = {("PATCH /api/tickets/{ticket_id}", "write")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    at = f"/api/tickets/{got(a.post('/api/tickets', json={'subject': 'the door'}))['id']}"
    assert b.get(at).status_code == 404
    got(b.patch(at, json={"subject": "taken over"}))
    assert got(a.get(at))["subject"] == "taken over"
