"""A WebSocket takes * in a room's name for every room, but only for those of its tenant."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
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
            tenant = tenant_of(socket.headers.get("authorization"))
            if "*" in room_id:
                found = [one for one in rooms.of(tenant) if fnmatchcase(one["id"], room_id)]
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
        routes="tests.probe.corpus.sound.websocket_pattern:app",
    )


def truth(a: Client, b: Client) -> None:
    for one, text in ((a, "secret"), (b, "own")):
        at = f"/rooms/{got(one.post('/rooms', json={'name': 'x'}))['id']}"
        got(one.post(f"{at}/messages", json={"text": text}))
    token = {"Authorization": b.headers["authorization"]}
    url = f"ws://{b.base_url.netloc.decode()}/rooms/*/live"
    with connect(url, additional_headers=token) as socket:
        assert [json.loads(one) for one in socket] == [{"text": "own"}]
