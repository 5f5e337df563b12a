"""A WebSocket says what is said in a room to its members, and closes for all others alike."""

from __future__ import annotations

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


class NewSession(BaseModel):
    topic: str


def application() -> FastAPI:
    app, sessions = api("Whiteboard"), Shelf(prefixed("wb"))

    @app.post("/sessions", status_code=201)
    async def begin(new: NewSession, tenant: Caller) -> Row:
        return sessions.add(tenant, topic=new.topic)

    @app.get("/sessions/{session_id}")
    async def read(session_id: str, tenant: Caller) -> Row:
        return sessions.own(tenant, session_id)

    @app.websocket("/sessions/{session_id}/strokes")
    async def strokes(socket: WebSocket, session_id: str) -> None:
        try:
            found = sessions.own(tenant_of(socket.headers.get("authorization")), session_id)
        except DeniedError:
            await socket.close(4404)
            return
        await socket.accept()
        await socket.send_json({"topic": found["topic"]})
        await socket.close()

    return app


app = application()


def case() -> Case:
    routes = "tests.probe.corpus.sound.websocket_walled:app"
    return Case(application(), bearers("acme", "globex"), routes=routes)


def truth(a: Client, b: Client) -> None:
    made = got(a.post("/sessions", json={"topic": "secret"}))["id"]
    url = f"ws://{b.base_url.netloc.decode()}/sessions/{made}/strokes"
    with connect(url, additional_headers={"Authorization": a.headers["authorization"]}) as socket:
        assert "secret" in str(socket.recv(timeout=5))
    refused = {"Authorization": b.headers["authorization"]}
    with pytest.raises(InvalidStatus), connect(url, additional_headers=refused):
        pass
