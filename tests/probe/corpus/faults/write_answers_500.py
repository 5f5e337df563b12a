"""A foreign player is renamed, and then the answer fails: 500, and the change stays."""

from __future__ import annotations

from itertools import count

from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got


class Player(BaseModel):
    nickname: str


def case() -> Case:
    app, players = api("League"), Shelf(count(31))

    @app.post("/players", status_code=201)
    async def join(new: Player, tenant: Caller) -> Row:
        return players.add(tenant, nickname=new.nickname)

    @app.get("/players/{player_id}")
    async def read(player_id: int, tenant: Caller) -> Row:
        return players.own(tenant, player_id)

    @app.put("/players/{player_id}")
    async def rename(player_id: int, new: Player, tenant: Caller) -> Row:
        players.any(player_id)["nickname"] = new.nickname
        if players.owners[player_id] != tenant:
            raise DeniedError(500, "internal server error")
        return players.own(tenant, player_id)

    leaks = {("PUT /players/{player_id}", "write")}
    return Case(app, bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    at = f"/players/{got(a.post('/players', json={'nickname': 'x'}))['id']}"
    assert b.put(at, json={"nickname": "graffiti"}).status_code == 500
    assert got(a.get(at))["nickname"] == "graffiti"
    assert b.put("/players/1", json={"nickname": "x"}).status_code == 404
