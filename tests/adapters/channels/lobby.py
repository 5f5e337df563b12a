"""An application with channels, behind a server; who waits in it, and what they hear."""

import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
from fastapi import Body, Depends, FastAPI, Request, WebSocket
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from partywall.adapters.channels import Broker, Channels, EventStream
from partywall.adapters.fastapi import Header, OnlyMembership, TenantAccess
from partywall.context import TenantContext
from partywall.control import memberships, users
from tests.adapters.fastapi.town import TENANTS, TOKENS, Town, serving

PATIENCE_S = 20.0
QUIET_S = 0.15
ACME, GLOBEX = TENANTS["acme"][0], TENANTS["globex"][0]
Bearer = dict[str, str]


@dataclass(frozen=True)
class Lobby:
    """A served application."""

    client: httpx.Client
    channels: Channels

    @contextmanager
    def socket(
        self,
        who: Bearer,
        *on: str,
        path: str = "/live",
        **options: Any,  # noqa: ANN401 - any value
    ) -> Iterator[ClientConnection]:
        """Somebody who has joined channels."""
        url = f"{self.client.base_url}".replace("http", "ws", 1).rstrip("/")
        options.setdefault("open_timeout", PATIENCE_S)
        told = f"{url}{path}?on={','.join(on)}"
        with connect(told, additional_headers=who, **options) as socket:
            assert json.loads(socket.recv(timeout=PATIENCE_S)) == {"joined": [*on]}
            yield socket

    def publish(self, who: Bearer, name: str, payload: Any) -> int:  # noqa: ANN401 - any value
        """Publish; the status."""
        told = {"name": name, "payload": payload}
        return self.client.post("/publish", json=told, headers=who).status_code

    @property
    def joined(self) -> dict[str, int]:
        """How many have joined what."""
        return {topic.path: many for topic, many in [*self.channels.joined]}


def application(
    town: Town,
    broker: Broker,
    *,
    told: bool = True,
    **options: Any,  # noqa: ANN401 - any value
) -> tuple[FastAPI, Channels]:
    """Who may come in hears what is asked for."""
    access = TenantAccess(town.tenancy, town.plane, resolve=[Header(), OnlyMembership()])
    directory = town.plane.access if told else None
    channels = Channels(broker, access, directory=directory, **options)
    given = Annotated[TenantContext, Depends(access)]

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with channels:
            yield

    app = FastAPI(lifespan=lifespan)

    async def live(websocket: WebSocket, context: given, on: str = "") -> None:
        async with channels.socket(websocket, context) as socket:
            for name in filter(None, on.split(",")):
                await socket.subscribe(name)
            await socket.send({"joined": [*filter(None, on.split(","))]})
            async for message in socket:
                if "subscribe" in message:
                    await socket.subscribe(message["subscribe"])
                if "unsubscribe" in message:
                    await socket.unsubscribe(message["unsubscribe"])
                await socket.send({"took": message, "roles": sorted(socket.context.roles)})

    async def publish(
        context: given,
        name: Annotated[str, Body()],
        payload: Annotated[Any, Body()],  # noqa: ANN401 - any value
    ) -> None:
        await channels.publish(context, name, payload)

    async def events(request: Request, context: given, on: str) -> EventStream:
        async def first() -> list[Any]:
            return [{"joined": on.split(",")}]

        return EventStream(channels, request, context, on.split(","), first=first, ping_s=0.2)

    app.websocket("/live")(live)
    app.post("/publish")(publish)
    app.get("/events")(events)
    access.protect(app)
    return app, channels


@contextmanager
def opened(town: Town, broker: Broker, **options: Any) -> Iterator[Lobby]:  # noqa: ANN401 - any value
    """A lobby."""
    app, channels = application(town, broker, **options)
    with serving(app) as client:
        yield Lobby(client, channels)


def newcomer(town: Town, tenant_id: str, role: str = "member") -> tuple[str, Bearer]:
    """A new member of a tenant: the id, and what it shows."""
    with town.plane.database.begin() as connection:
        user = users.add(connection, f"{uuid.uuid4().hex}@example.com")
        seat = memberships.add(connection, tenant_id, user.id, role)
    token = TOKENS.issue(user.id, tenant_id, seat.version)
    return user.id, {"Authorization": f"Bearer {token}"}


def told(socket: ClientConnection) -> Any:  # noqa: ANN401 - any value
    """The next message."""
    return json.loads(socket.recv(timeout=PATIENCE_S))


def silent(socket: ClientConnection) -> bool:
    """Whether nothing has come: what was said before, to this socket too, was heard already."""
    try:
        socket.recv(timeout=QUIET_S)
    except TimeoutError:
        return True
    return False


def ended(socket: ClientConnection) -> tuple[int, list[Any]]:
    """The code with which it is closed, and what came before."""
    heard = []
    end = time.monotonic() + PATIENCE_S
    try:
        while time.monotonic() < end:
            heard.append(json.loads(socket.recv(timeout=PATIENCE_S)))
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd is not None else 0, heard
    raise AssertionError(heard)


def until(said: Callable[[], object]) -> None:
    """Wait for something to be true."""
    end = time.monotonic() + PATIENCE_S
    while not said():
        assert time.monotonic() < end
        time.sleep(0.01)
