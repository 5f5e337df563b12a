"""The list of contacts is everybody's."""

from __future__ import annotations

from pydantic import BaseModel, EmailStr

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed


class NewContact(BaseModel):
    full_name: str
    email: EmailStr


def case() -> Case:
    app, contacts = api("Contacts"), Shelf(prefixed("con"))

    @app.post("/v1/contacts", status_code=201)
    async def add(new: NewContact, tenant: Caller) -> Row:
        return {"data": contacts.add(tenant, **new.model_dump())}

    @app.get("/v1/contacts", dependencies=[TOKEN])
    async def every() -> Row:
        return {"data": contacts.all()}

    @app.get("/v1/contacts/{contact_id}")
    async def read(contact_id: str, tenant: Caller) -> Row:
        return {"data": contacts.own(tenant, contact_id)}

    leaks = {("GET /v1/contacts", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    new = {"full_name": "Ann", "email": "ann@example.com"}
    made = got(a.post("/v1/contacts", json=new))["data"]
    assert b.get(f"/v1/contacts/{made['id']}").status_code == 404
    assert made in got(b.get("/v1/contacts"))["data"]
