"""An application that tells of changes by WebSockets, events and socket.io, soundly or to all."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import socketio  # type: ignore[import-untyped]  # it brings no types
from fastapi import WebSocket, WebSocketDisconnect
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.walls import DeniedError, Row, Shelf, prefixed, tenant_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from fastapi import FastAPI

GONE = 4404


class Events(StreamingResponse):
    media_type: str | None = "text/event-stream"


class NewProject(BaseModel):
    name: str


class Hub:
    """Passes on what is published to who wants it."""

    def __init__(self) -> None:
        self._listeners: list[tuple[Callable[[str, Row], bool], asyncio.Queue[Row]]] = []

    @contextmanager
    def listening(self, wanted: Callable[[str, Row], bool]) -> Iterator[asyncio.Queue[Row]]:
        one = wanted, asyncio.Queue[Row]()
        self._listeners.append(one)
        try:
            yield one[1]
        finally:
            self._listeners.remove(one)

    def publish(self, tenant: str, row: Row) -> None:
        for wanted, queue in self._listeners:
            if wanted(tenant, row):
                queue.put_nowait(row)


class Board:
    """Everybody's projects, and who hears of them."""

    def __init__(self, *, sound: bool) -> None:
        self.sound = sound
        self.projects, self.hub, self.chat = Shelf(prefixed("proj")), Hub(), Hub()
        self.server = socketio.AsyncServer(async_mode="asgi")

    def let_in(self, tenant: str, key: str) -> Row:
        """The project, for who may hear of it."""
        return self.projects.own(tenant, key) if self.sound else self.projects.any(key)

    def heard_by(self, tenant: str) -> Callable[[str, Row], bool]:
        """What somebody hears who names no project."""
        return lambda owner, _: owner == tenant or not self.sound

    async def publish(self, tenant: str, row: Row) -> Row:
        self.hub.publish(tenant, row)
        await self.server.emit("changed", row, room=row["id"])
        return row


def application(*, sound: bool) -> Callable[..., Any]:
    """An ASGI application, with socket.io before it."""
    app, board = api("Projects"), Board(sound=sound)
    add_operations(app, board)
    add_sockets(app, board)
    add_chat(app, board)
    add_events(app, board)
    add_rooms(board)
    whole: Callable[..., Any] = socketio.ASGIApp(board.server, app)
    return whole


def add_operations(app: FastAPI, board: Board) -> None:
    """Sound ones, by which projects come, change and go."""
    projects = board.projects

    @app.post("/projects", status_code=201)
    async def create(new: NewProject, tenant: Caller) -> Row:
        return await board.publish(tenant, projects.add(tenant, name=new.name))

    @app.get("/projects/{project_id}")
    async def read(project_id: str, tenant: Caller) -> Row:
        return projects.own(tenant, project_id)

    @app.patch("/projects/{project_id}")
    async def change(project_id: str, new: NewProject, tenant: Caller) -> Row:
        row = projects.own(tenant, project_id)
        row["name"] = new.name
        return await board.publish(tenant, row)

    @app.delete("/projects/{project_id}", status_code=204)
    async def remove(project_id: str, tenant: Caller) -> None:
        projects.own(tenant, project_id)
        projects.drop(project_id)


def add_sockets(app: FastAPI, board: Board) -> None:
    """One a project, one for all, and one that is told which."""

    @app.websocket("/projects/{project_id}/live")
    async def live(socket: WebSocket, project_id: str) -> None:
        if await entered(socket, lambda tenant: board.let_in(tenant, project_id)):
            with board.hub.listening(lambda _, row: row["id"] == project_id) as queue:
                await told(socket, queue)

    @app.websocket("/feed")
    async def feed(socket: WebSocket, token: str) -> None:
        if tenant := await entered(socket, lambda _: None, token):
            with board.hub.listening(board.heard_by(tenant)) as queue:
                await told(socket, queue)

    @app.websocket("/ws")
    async def subscribed(socket: WebSocket) -> None:
        if tenant := await entered(socket, lambda _: None):
            key = (await socket.receive_json())["subscribe"]
            try:
                board.let_in(tenant, key)
            except DeniedError:
                await socket.send_json({"error": f"no project {key}"})
                return
            with board.hub.listening(lambda _, row: row["id"] == key) as queue:
                await told(socket, queue)


def add_chat(app: FastAPI, board: Board) -> None:
    """Whoever is let in hears what the others say."""

    @app.websocket("/projects/{project_id}/chat")
    async def talk(socket: WebSocket, project_id: str) -> None:
        if tenant := await entered(socket, lambda tenant: board.let_in(tenant, project_id)):

            def say(text: str) -> None:
                board.chat.publish(tenant, {"room": project_id, **json.loads(text)})

            with board.chat.listening(lambda _, row: row["room"] == project_id) as queue:
                await told(socket, queue, say)


def add_events(app: FastAPI, board: Board) -> None:
    """Those of one project, and all."""

    @app.get("/projects/{project_id}/events", response_class=Events)
    async def events(project_id: str, tenant: Caller) -> Events:
        board.let_in(tenant, project_id)
        return streamed(board.hub, lambda _, row: row["id"] == project_id)

    @app.get("/events", response_class=Events)
    async def everything(tenant: Caller) -> Events:
        return streamed(board.hub, board.heard_by(tenant))


def add_rooms(board: Board) -> None:
    """A room a project, by socket.io."""
    server = board.server

    async def connect(sid: str, _: Row, auth: Row | None) -> None:
        try:
            tenant = tenant_of((auth or {}).get("token"))
        except DeniedError as error:
            raise socketio.exceptions.ConnectionRefusedError(error.detail) from error
        await server.save_session(sid, {"tenant": tenant})

    async def join(sid: str, key: str) -> None:
        try:
            board.let_in((await server.get_session(sid))["tenant"], key)
        except DeniedError:
            return
        await server.enter_room(sid, key)

    server.on("connect", connect)
    server.on("join", join)


async def entered(socket: WebSocket, let_in: Callable[[str], object], token: str = "") -> str:
    """The tenant that opened a socket; "" where it was turned away."""
    try:
        tenant = tenant_of(token or socket.headers.get("authorization"))
        let_in(tenant)
    except DeniedError:
        await socket.close(GONE)
        return ""
    await socket.accept()
    return tenant


async def told(
    socket: WebSocket, queue: asyncio.Queue[Row], say: Callable[[str], None] = lambda _: None
) -> None:
    """Send what comes, and take what is said, until the socket is closed."""

    async def tell() -> None:
        while True:
            await socket.send_json(await queue.get())

    task = asyncio.create_task(tell())
    try:
        while True:
            say(await socket.receive_text())
    except (WebSocketDisconnect, ValueError):
        return
    finally:
        task.cancel()


def streamed(hub: Hub, wanted: Callable[[str, Row], bool]) -> Events:
    """Events for as long as somebody listens."""

    async def lines() -> AsyncIterator[str]:
        with hub.listening(wanted) as queue:
            yield ": welcome\n\n"
            while True:
                yield f"data: {json.dumps(await queue.get())}\n\n"

    return Events(lines())
