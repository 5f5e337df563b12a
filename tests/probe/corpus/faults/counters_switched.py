"""Each account counts its own entries from 1; which account is meant, a query says."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, bearers, got

ACCOUNTS = {"acme": "a-710", "globex": "a-720"}


class NewEntry(BaseModel):
    text: str


def case() -> Case:
    app = api("Ledger")
    entries: dict[str, dict[int, Row]] = {account: {} for account in ACCOUNTS.values()}
    numbers = {account: count(1) for account in entries}

    @app.post("/entries", status_code=201)
    async def write(new: NewEntry, tenant: Caller) -> Row:
        account = ACCOUNTS[tenant]
        made: Row = {"id": next(numbers[account]), "text": new.text}
        entries[account][made["id"]] = made
        return made

    @app.get("/entries")
    async def every(tenant: Caller) -> list[Row]:
        return list(entries[ACCOUNTS[tenant]].values())

    @app.get("/entries/{entry_id}")
    async def read(entry_id: int, tenant: Caller, account: str | None = None) -> Row:
        found = entries.get(account or ACCOUNTS[tenant], {})
        if entry_id not in found:
            raise DeniedError(404, "not found")
        return found[entry_id]

    tenants = bearers(*ACCOUNTS, account=tuple(ACCOUNTS.values()))
    return Case(app, tenants, frozenset({("GET /entries/{entry_id}", "read")}))


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/entries", json={"text": "secret"}))
    assert b.get("/entries/1").status_code == 404
    assert got(b.get("/entries")) == []
    assert got(b.get("/entries/1", params={"account": "a-710"})) == made
