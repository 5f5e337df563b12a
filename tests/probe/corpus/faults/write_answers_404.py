"""A delete takes the row away before it looks whose it was, and answers 404."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, uuids


class NewBooking(BaseModel):
    guest: str
    nights: int = 1


def case() -> Case:
    app, bookings = api("Hotel"), Shelf(uuids())

    @app.post("/bookings", status_code=201)
    async def book(new: NewBooking, tenant: Caller) -> Row:
        return bookings.add(tenant, **new.model_dump())

    @app.get("/bookings/{booking_id}")
    async def read(booking_id: str, tenant: Caller) -> Row:
        return bookings.own(tenant, booking_id)

    @app.delete("/bookings/{booking_id}", status_code=204)
    async def cancel(booking_id: str, tenant: Caller) -> None:
        owner = bookings.owners.get(booking_id)
        bookings.drop(booking_id)
        if owner != tenant:
            raise DeniedError(404, "not found")

    leaks = {("DELETE /bookings/{booking_id}", "destroy")}
    return Case(app, bearers("umbrella", "initech"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    at = f"/bookings/{got(a.post('/bookings', json={'guest': 'Ann'}))['id']}"
    assert b.delete(at).status_code == 404
    assert a.get(at).status_code == 404
