"""Settings are read for the caller, whoever the path names, and written for who it names."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, bearers, got

MEMBERS = {"north": "m-31", "south": "m-32"}


class Settings(BaseModel):
    signature: str


def case() -> Case:
    app = api("Settings")
    settings: dict[str, Row] = {member: {"signature": ""} for member in MEMBERS.values()}

    @app.get("/members/{member_id}/settings")
    async def read(member_id: str, tenant: Caller) -> Row:
        del member_id  # the token tells who it is
        return settings[MEMBERS[tenant]]

    @app.put("/members/{member_id}/settings", status_code=204, dependencies=[TOKEN])
    async def write(member_id: str, new: Settings) -> None:
        if member_id not in settings:
            raise DeniedError(404, "not found")
        settings[member_id].update(new.model_dump())

    tenants = bearers(*MEMBERS, member_id=tuple(MEMBERS.values()))
    return Case(app, tenants, frozenset({("PUT /members/{member_id}/settings", "write")}))


def truth(a: Client, b: Client) -> None:
    got(a.put("/members/m-31/settings", json={"signature": "theirs"}))
    assert got(b.get("/members/m-31/settings"))["signature"] == ""
    got(b.put("/members/m-31/settings", json={"signature": "graffiti"}))
    assert got(a.get("/members/m-31/settings"))["signature"] == "graffiti"
