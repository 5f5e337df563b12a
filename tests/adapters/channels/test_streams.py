"""Server-sent events of a tenant: what they tell, until when, and what they hold meanwhile."""

# FastAPI reads the annotations of handlers that are local to a function.

import json
from collections.abc import Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from sqlalchemy import text

from partywall import AsyncTenantSession, Tenancy
from partywall.adapters.channels import Channels, EventStream, Limits, MemoryBroker
from partywall.adapters.fastapi import Header, OnlyMembership, TenantAccess
from partywall.context import TenantContext
from tests.adapters.channels.lobby import ACME, Bearer, Lobby, newcomer, opened, until
from tests.adapters.channels.test_sockets import NAME, end
from tests.adapters.fastapi.town import Town, serving

ONE = text("SELECT 1")


@pytest.fixture(scope="module")
def lobby(town: Town) -> Iterator[Lobby]:
    with opened(town, MemoryBroker(), limits=Limits(per_user=3)) as lobby:
        yield lobby


@contextmanager
def streaming(lobby: Lobby, who: Bearer, on: str = NAME) -> Iterator[Iterator[str]]:
    """The lines that hold something, after the first event."""
    with lobby.client.stream("GET", "/events", params={"on": on}, headers=who) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = (line for line in answer.iter_lines() if line.strip(":"))
        assert json.loads(next(lines).removeprefix("data: ")) == {"joined": on.split(",")}
        yield lines


def test_a_stream_tells_its_own_tenant_s_and_ends_with_the_membership(
    town: Town, lobby: Lobby
) -> None:
    ann, bob = town.bearer("ann", "acme"), town.bearer("bob", "globex")
    user_id, leaving = newcomer(town, ACME)
    with ExitStack() as stack:
        gone, stays, other = (
            stack.enter_context(streaming(lobby, who)) for who in (leaving, ann, bob)
        )
        lobby.publish(bob, NAME, "theirs")
        lobby.publish(ann, NAME, "ours")
        for lines, said in ((gone, "ours"), (stays, "ours"), (other, "theirs")):
            assert json.loads(next(lines).removeprefix("data: ")) == {"channel": NAME, "data": said}
        end(town, user_id)
        lobby.publish(ann, NAME, "after")
        assert "after" in next(stays)
        assert [*gone] == ["event: end", "data: 4403"]
    assert lobby.client.get("/events", params={"on": NAME}, headers=leaving).status_code == 404
    until(lambda: not lobby.channels.here)


def test_what_refuses_a_stream_is_said_before_it_begins(town: Town, lobby: Lobby) -> None:
    ann = town.bearer("ann", "acme")

    def status(who: Bearer, on: str = NAME) -> int:
        return lobby.client.get("/events", params={"on": on}, headers=who).status_code

    assert status({}) == 401
    assert status(town.bearer("bob", "globex") | {"X-Tenant": "acme"}) == 404
    assert status(ann, "a*") == 422
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(streaming(lobby, ann))
        assert status(ann) == 429
    until(lambda: not lobby.channels.here)


def test_a_stream_that_is_not_read_is_ended(town: Town) -> None:
    ann = town.bearer("ann", "acme")
    limits = Limits(waiting=5, stall_s=0.5)
    with (
        opened(town, MemoryBroker(), limits=limits) as lobby,
        streaming(lobby, ann),
        lobby.socket(ann, NAME) as quick,
    ):
        for number in range(400):
            lobby.publish(ann, NAME, [number, "x" * 60_000])
            quick.recv(timeout=20)
            if lobby.joined == {f"{ACME}/{NAME}": 1}:
                break
        assert lobby.joined == {f"{ACME}/{NAME}": 1}
        until(lambda: lobby.channels.here == 1)  # though it was never read


def test_a_stream_holds_no_connection_of_the_database(town: Town) -> None:
    url, model = town.database.url("app"), town.tenancy.isolation
    with Tenancy(url, model, directory=town.plane.access, connections=1, timeout_s=5) as tenancy:
        access = TenantAccess(tenancy, town.plane, resolve=[Header(), OnlyMembership()])
        channels = Channels(MemoryBroker(), access, directory=town.plane.access)

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> Any:  # noqa: ANN401 - any value
            async with channels:
                yield

        app = FastAPI(lifespan=lifespan)
        Session = Annotated[AsyncTenantSession, Depends(access.async_session)]  # noqa: N806 - a type
        Given = Annotated[TenantContext, Depends(access)]  # noqa: N806 - a type

        @app.get("/events")
        async def events(request: Request, context: Given, session: Session) -> EventStream:
            assert await session.scalar(ONE) == 1
            return EventStream(channels, request, context, [NAME])

        @app.get("/one")
        async def one(session: Session) -> int:
            return int(await session.scalar(ONE) or 0)

        access.protect(app)
        ann = town.bearer("ann", "acme")
        with serving(app) as client, client.stream("GET", "/events", headers=ann) as answer:
            next(answer.iter_lines())
            assert client.get("/one", headers=ann).json() == 1
            assert httpx.codes.is_success(answer.status_code)
