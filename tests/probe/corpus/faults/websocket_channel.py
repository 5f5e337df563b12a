"""A WebSocket sends what is said in a room to whoever names the room; HTTP is checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fastapi import WebSocket  # noqa: TC002 - FastAPI reads annotations
from pydantic import BaseModel
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
            tenant_of(socket.headers.get("authorization"))
            found = rooms.any(room_id)
        except DeniedError:
            await socket.close(4404)
            return
        await socket.accept()
        for text in found["messages"]:
            await socket.send_json({"text": text})
        await socket.close()

    return app


app = application()


def case() -> Case:
    return Case(
        application(),
        bearers("acme", "globex"),
        leaks=frozenset({("WS /rooms/{room_id}/live", "read")}),
        routes="tests.probe.corpus.faults.websocket_channel:app",
    )


def truth(a: Client, b: Client) -> None:
    at = f"/rooms/{got(a.post('/rooms', json={'name': 'x'}))['id']}"
    got(a.post(f"{at}/messages", json={"text": "secret"}))
    assert b.get(at).status_code == 404
    token = {"Authorization": b.headers["authorization"]}
    url = f"ws://{b.base_url.netloc.decode()}{at}/live"
    with connect(url, additional_headers=token) as socket:
        assert json.loads(socket.recv(timeout=5)) == {"text": "secret"}
