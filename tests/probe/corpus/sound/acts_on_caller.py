"""Whoever the path names: it is the caller whose profile is shown and changed."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, Row, bearers, got

USERS = {"acme": "u-1001", "globex": "u-1002"}


class ProfileChange(BaseModel):
    motto: str


def case() -> Case:
    app = api("Profiles")
    profiles: dict[str, Row] = {name: {"motto": ""} for name in USERS}

    @app.get("/users/{user_id}/profile")
    async def read(user_id: str, tenant: Caller) -> Row:
        del user_id  # the token tells who it is
        return {"user_id": USERS[tenant], **profiles[tenant]}

    @app.put("/users/{user_id}/profile")
    async def change(user_id: str, changed: ProfileChange, tenant: Caller) -> Row:
        del user_id  # as above
        profiles[tenant].update(changed.model_dump())
        return profiles[tenant]

    return Case(app, bearers(*USERS, user_id=tuple(USERS.values())))


def truth(a: Client, b: Client) -> None:
    got(a.put("/users/u-1001/profile", json={"motto": "theirs"}))
    got(b.put("/users/u-1001/profile", json={"motto": "mine"}))
    assert got(b.get("/users/u-1001/profile")) == {"user_id": "u-1002", "motto": "mine"}
    assert got(a.get("/users/u-1001/profile"))["motto"] == "theirs"
