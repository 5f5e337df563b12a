"""A WebSocket checks who names a room, and takes * for every room, whosever it is."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest
from fastapi import WebSocket  # noqa: TC002 - FastAPI reads annotations
from pydantic import BaseModel
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import (
    Client,
    DeniedError,
    Row,
    Shelf,
    bearers,
    got,
    prefixed,
    tenant_of,
)

if TYPE_CHECKING:
    from fastapi import FastAPI


class NewRoom(BaseModel):
    name: str


class NewMessage(BaseModel):
    text: str


def application() -> FastAPI:
    app, rooms = api("Chat"), Shelf(prefixed("room"))

    @app.post("/rooms", status_code=201)
    async def open_room(new: NewRoom, tenant: Caller) -> Row:
        return rooms.add(tenant, name=new.name, messages=[])

    @app.post("/rooms/{room_id}/messages", status_code=201)
    async def say(room_id: str, new: NewMessage, tenant: Caller) -> Row:
        rooms.own(tenant, room_id)["messages"].append(new.text)
        return new.model_dump()

    @app.get("/rooms/{room_id}")
    async def read(room_id: str, tenant: Caller) -> Row:
        return rooms.own(tenant, room_id)

    @app.websocket("/rooms/{room_id}/live")
    async def live(socket: WebSocket, room_id: str) -> None:
        try:
            tenant = tenant_of(socket.headers.get("authorization"))
            if "*" in room_id:
                found = [one for one in rooms.all() if fnmatchcase(one["id"], room_id)]
            else:
                found = [rooms.own(tenant, room_id)]
        except DeniedError:
            await socket.close(4404)
            return
        await socket.accept()
        for text in (text for one in found for text in one["messages"]):
            await socket.send_json({"text": text})
        await socket.close()

    return app


app = application()


def case() -> Case:
    return Case(
        application(),
        bearers("acme", "globex"),
        leaks=frozenset({("WS /rooms/{room_id}/live", "read")}),
        routes="tests.probe.corpus.faults.websocket_pattern:app",
    )


def truth(a: Client, b: Client) -> None:
    at = f"/rooms/{got(a.post('/rooms', json={'name': 'x'}))['id']}"
    got(a.post(f"{at}/messages", json={"text": "secret"}))
    assert b.get(at).status_code == 404
    token = {"Authorization": b.headers["authorization"]}
    base = f"ws://{b.base_url.netloc.decode()}"
    with pytest.raises(InvalidStatus), connect(f"{base}{at}/live", additional_headers=token):
        pass
    with connect(f"{base}/rooms/*/live", additional_headers=token) as socket:
        assert json.loads(socket.recv(timeout=5)) == {"text": "secret"}
