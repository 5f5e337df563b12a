"""What was deleted can still be opened by its id, and then by anybody."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed


class NewLetter(BaseModel):
    recipient: str
    text: str


def case() -> Case:
    app, letters, bin_ = api("Letters"), Shelf(prefixed("ltr")), dict[str, Row]()

    @app.post("/letters", status_code=201)
    async def write(new: NewLetter, tenant: Caller) -> Row:
        return letters.add(tenant, **new.model_dump())

    @app.get("/letters/{letter_id}")
    async def read(letter_id: str, tenant: Caller) -> Row:
        if letter_id in bin_:
            return {**bin_[letter_id], "deleted": True}
        return letters.own(tenant, letter_id)

    @app.delete("/letters/{letter_id}", status_code=204)
    async def delete(letter_id: str, tenant: Caller) -> None:
        bin_[letter_id] = letters.own(tenant, letter_id)
        letters.drop(letter_id)

    leaks = {("GET /letters/{letter_id}", "read")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    at = f"/letters/{got(a.post('/letters', json={'recipient': 'x', 'text': 'secret'}))['id']}"
    assert b.get(at).status_code == 404
    got(a.delete(at))
    assert got(b.get(at))["text"] == "secret"
