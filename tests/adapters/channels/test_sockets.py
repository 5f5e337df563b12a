"""Sockets of two tenants on real brokers: who hears what, and until when."""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack, asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from starlette.routing import WebSocketRoute
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from partywall import TenantContext
from partywall.adapters.channels import (
    Channels,
    Limits,
    MemoryBroker,
    PostgresBroker,
    RedisBroker,
    endings,
    rechecking,
)
from partywall.adapters.channels.rechecking import Rechecks
from partywall.adapters.channels.subscriber import Subscriber
from partywall.control import api_keys, memberships, tenants, users
from partywall.control.database import CHANNEL
from partywall.errors import NotPermitted, Unavailable
from tests.adapters.channels.lobby import (
    ACME,
    Lobby,
    ended,
    newcomer,
    opened,
    silent,
    told,
    until,
)
from tests.adapters.fastapi.town import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from starlette.applications import Starlette
    from starlette.websockets import WebSocket

    from partywall.adapters.channels import Broker
    from partywall.adapters.channels.endings import Ending
    from tests.adapters.fastapi.town import Town

KEY = b"a key of sixteen bytes or more"
NAME = "invoices/7"
ACME_ANN = TenantContext("acme", "ann")


@pytest.fixture(params=["memory", "redis", "postgres"])
def several(request: pytest.FixtureRequest, town: Town) -> Callable[[], Broker]:
    """What makes a broker for each process."""
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        return lambda: RedisBroker(url)
    if request.param == "postgres":
        return lambda: PostgresBroker(town.database.url(), key=KEY)
    return MemoryBroker


@pytest.fixture(scope="module")
def lobby(town: Town) -> Iterator[Lobby]:
    """One for tests that leave it as it was."""
    with opened(town, MemoryBroker()) as lobby:
        yield lobby


def test_the_same_name_in_two_tenants_is_two_channels(
    town: Town, several: Callable[[], Broker]
) -> None:
    ann, bob = town.bearer("ann", "acme"), town.bearer("bob", "globex")
    with ExitStack() as stack:
        here = stack.enter_context(opened(town, several()))
        apart = not isinstance(here.channels._broker, MemoryBroker)  # noqa: SLF001 - what is inside
        there = stack.enter_context(opened(town, several())) if apart else here
        heard = {
            (tenant, where): stack.enter_context(lobby.socket(who, NAME))
            for tenant, who in (("acme", ann), ("globex", bob))
            for where, lobby in (("here", here), ("there", there))
        }
        for number in range(3):
            assert here.publish(ann, NAME, {"number": number}) == 200
            assert there.publish(bob, NAME, "ours") == 200
            assert there.publish(bob, NAME, "ours") == 200  # twice the same is two messages
        for (tenant, _), socket in heard.items():
            got = [told(socket) for _ in range(3 if tenant == "acme" else 6)]
            mine = [{"number": n} for n in range(3)] if tenant == "acme" else ["ours"] * 6
            assert got == [{"channel": NAME, "data": each} for each in mine]
        assert all(silent(socket) for socket in heard.values())


def test_who_has_left_a_channel_hears_no_more_of_it(
    town: Town, several: Callable[[], Broker]
) -> None:
    ann = town.bearer("ann", "acme")
    with opened(town, several()) as lobby, lobby.socket(ann, "one", "two") as socket:
        socket.send('{"unsubscribe": "one"}')
        told(socket)
        assert {lobby.publish(ann, name, "x") for name in ("one", "two")} == {200}
        assert told(socket) == {"channel": "two", "data": "x"}
        socket.send('{"subscribe": "one"}')
        told(socket)
        lobby.publish(ann, "one", "again")
        assert told(socket) == {"channel": "one", "data": "again"}


def end(town: Town, user_id: str) -> None:
    with town.plane.database.begin() as connection:
        memberships.end(connection, ACME, user_id)


def disable(town: Town, user_id: str) -> None:
    with town.plane.database.begin() as connection:
        users.disable(connection, user_id)


def change_role(town: Town, user_id: str) -> None:
    with town.plane.database.begin() as connection:
        memberships.change_role(connection, ACME, user_id, "admin")


@pytest.mark.parametrize(
    ("change", "code"),
    [(end, 4403), (disable, 4401), (change_role, 4401)],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_who_is_let_in_no_more_hears_nothing_that_comes_after(
    town: Town, lobby: Lobby, change: Callable[[Town, str], None], code: int
) -> None:
    ann = town.bearer("ann", "acme")
    user_id, leaving = newcomer(town, ACME)
    with lobby.socket(leaving, NAME) as socket, lobby.socket(ann, NAME) as stays:
        lobby.publish(ann, NAME, "before")
        assert told(socket) == told(stays) == {"channel": NAME, "data": "before"}
        change(town, user_id)
        lobby.publish(ann, NAME, "after")
        assert told(stays) == {"channel": NAME, "data": "after"}
        assert ended(socket) == (code, [])
        with pytest.raises(InvalidStatus), lobby.socket(leaving, NAME):
            raise AssertionError
    until(lambda: not lobby.joined)


def test_a_revoked_key_closes_its_sockets_and_no_other(town: Town, lobby: Lobby) -> None:
    with town.plane.database.begin() as connection:
        made = [
            api_keys.create(connection, ACME, town.ids["ann"], name, permissions=["notes:read"])
            for name in ("one", "other")
        ]
    one, other = ({"Authorization": f"Bearer {secret}"} for _, secret in made)
    with lobby.socket(one, NAME) as gone, lobby.socket(other, NAME) as stays:
        with town.plane.database.begin() as connection:
            api_keys.revoke(connection, ACME, made[0][0].id)
        assert ended(gone) == (4401, [])
        lobby.publish(town.bearer("ann", "acme"), NAME, 1)
        assert told(stays) == {"channel": NAME, "data": 1}


def test_a_suspended_tenant_s_sockets_close_and_no_others(town: Town, lobby: Lobby) -> None:
    ann, bob = town.bearer("ann", "acme"), town.bearer("bob", "globex")
    with lobby.socket(ann, NAME) as gone, lobby.socket(bob, NAME) as stays:
        with town.plane.database.begin() as connection:
            tenants.set_status(connection, ACME, "suspended")
        assert ended(gone)[0] == 4403
        with town.plane.database.begin() as connection:
            tenants.set_status(connection, ACME, "active")
        lobby.publish(bob, NAME, 1)
        assert told(stays) == {"channel": NAME, "data": 1}


def test_a_change_from_another_process_is_heard(town: Town, lobby: Lobby) -> None:
    user_id, leaving = newcomer(town, ACME)
    with lobby.socket(leaving, NAME) as socket:
        town.database.execute(
            f"UPDATE partywall.memberships SET ended_at = now() WHERE user_id = '{user_id}'; "
            f"SELECT pg_notify('{CHANNEL}', 'user:{user_id}')"
        )
        assert ended(socket) == (4403, [])


def test_without_news_the_schedule_notices(town: Town) -> None:
    user_id, leaving = newcomer(town, ACME)
    with (
        opened(town, MemoryBroker(), told=False, recheck_s=0.2) as lobby,
        lobby.socket(leaving, NAME) as socket,
        lobby.socket(town.bearer("ann", "acme"), NAME) as stays,
    ):
        end(town, user_id)
        assert ended(socket) == (4403, [])
        stays.send('{"still": "here"}')
        assert told(stays)["took"] == {"still": "here"}


def test_what_somebody_says_after_the_end_is_not_taken(town: Town, lobby: Lobby) -> None:
    user_id, leaving = newcomer(town, ACME)
    with lobby.socket(leaving, NAME) as socket:
        end(town, user_id)
        try:
            for _ in range(50):
                socket.send('{"subscribe": "more"}')
        except ConnectionClosed:
            pass
        code, heard = ended(socket)
        assert (code, heard) == (4403, [])


REFUSED_PAGES = (
    "https://evil.example",
    "null",
    "http://127.0.0.1.evil.example",
    "http://evil.example@127.0.0.1",
    "https://app.example.com.evil.example",
    "https://app.example.com:8443",
    "http://app.example.com",
    "*",
)


def test_pages_of_other_origins_open_nothing(town: Town) -> None:
    ann, page = town.bearer("ann", "acme"), "https://app.example.com"
    with opened(town, MemoryBroker(), origins=[page]) as lobby:
        own = f"{lobby.client.base_url}".rstrip("/")
        for origin in (own, own.upper(), page, f"{page}:443"):
            with lobby.socket(ann, origin=origin):
                pass
        for origin in REFUSED_PAGES:
            with pytest.raises(InvalidStatus) as refused, lobby.socket(ann, origin=origin):
                raise AssertionError(origin)
            assert refused.value.response.status_code == 403, origin
        assert not lobby.channels.here


def test_who_is_nobody_or_a_stranger_is_refused_before_the_socket_opens(
    town: Town, lobby: Lobby
) -> None:
    stranger = town.bearer("bob", "globex") | {"X-Tenant": "acme"}
    for who, status in (({}, 401), (stranger, 404), (town.bearer("sue", "sleepy"), 403)):
        with pytest.raises(InvalidStatus) as refused, lobby.socket(who, NAME):
            raise AssertionError
        assert refused.value.response.status_code == status


def test_a_page_shows_its_token_as_a_subprotocol_which_is_never_chosen(
    town: Town, lobby: Lobby
) -> None:
    token = town.token("ann", "acme")
    offered: Any = ["partywall", f"bearer.{token}"]
    for order in (offered, offered[::-1]):
        with lobby.socket({}, NAME, subprotocols=order) as socket:
            assert socket.subprotocol == "partywall"
    both = town.bearer("bob", "globex")
    with pytest.raises(InvalidStatus), lobby.socket(both, NAME, subprotocols=offered):
        raise AssertionError


@pytest.mark.parametrize(
    "name",
    ["", "*", "a*", "a/../b", "a//b", "/a", "a/", "a b", "a\nb", "ä", "x" * 201, "a,b?", "a[b]"],
)
def test_what_is_no_name_is_refused(town: Town, lobby: Lobby, name: str) -> None:
    ann = town.bearer("ann", "acme")
    with lobby.socket(ann) as socket:
        socket.send(json.dumps({"subscribe": name}))
        assert ended(socket) == (1008, [])
    answer = lobby.client.post("/publish", json={"name": name, "payload": 1}, headers=ann)
    assert answer.status_code == 422
    assert not name or len(name) < 3 or name not in answer.text


def test_who_takes_too_slowly_is_closed_and_the_others_go_on(town: Town) -> None:
    ann = town.bearer("ann", "acme")
    with (
        opened(town, MemoryBroker(), limits=Limits(waiting=5)) as lobby,
        lobby.socket(ann, NAME, max_queue=1, compression=None) as slow,
        lobby.socket(ann, NAME) as quick,
    ):
        large = "x" * 60_000
        for number in range(200):
            lobby.publish(ann, NAME, [number, large])
            assert told(quick)["data"][0] == number
            if lobby.joined == {f"{ACME}/{NAME}": 1}:
                break
        assert lobby.joined == {f"{ACME}/{NAME}": 1}
        code, heard = ended(slow)
        assert code == 1013
        numbers = [each["data"][0] for each in heard]
        assert numbers == [*range(len(numbers))]  # no gap before the end


def test_limits(town: Town) -> None:
    ann, al = town.bearer("ann", "acme"), town.bearer("al", "acme")
    limits = Limits(per_tenant=3, per_user=2, channels=2, message_bytes=100)
    with opened(town, MemoryBroker(), limits=limits) as lobby, ExitStack() as stack:
        mine = [stack.enter_context(lobby.socket(ann, "a", "b")) for _ in range(2)]
        for who, more in ((ann, False), (al, True), (al, False)):
            if more:
                stack.enter_context(lobby.socket(who))
                continue
            with pytest.raises(InvalidStatus) as refused, lobby.socket(who):
                raise AssertionError
            assert refused.value.response.status_code == 429
        with lobby.socket(town.bearer("bob", "globex")):
            pass  # another tenant's
        assert lobby.publish(ann, "a", "x" * 98) == 200
        assert told(mine[0])["data"] == "x" * 98
        assert lobby.publish(ann, "a", "x" * 99) == 413
        mine[0].send('{"subscribe": "c"}')
        assert ended(mine[0]) == (1008, [])
        mine[1].send(json.dumps("x" * 99))
        assert ended(mine[1])[0] == 1009
        until(lambda: lobby.channels.here == 1)
        stack.enter_context(lobby.socket(ann))  # there is room again


@pytest.mark.parametrize(
    ("said", "code"), [(b"{}", 1003), ("{", 1007), ("NaN", 1007), ("[" * 50_000, 1007)]
)
def test_what_is_no_json_ends_the_socket(
    town: Town, lobby: Lobby, said: str | bytes, code: int
) -> None:
    with lobby.socket(town.bearer("ann", "acme")) as socket:
        socket.send(said)
        assert ended(socket) == (code, [])


def test_the_length_of_what_is_said_is_that_of_its_bytes(town: Town) -> None:
    ann = town.bearer("ann", "acme")
    limits = Limits(message_bytes=100)
    with opened(town, MemoryBroker(), limits=limits) as lobby, lobby.socket(ann, NAME) as socket:
        socket.send('"' + "é" * 50 + '"')
        assert ended(socket) == (1009, [])


def test_who_neither_says_nor_hears_anything_ends(town: Town) -> None:
    limits = Limits(idle_s=0.5)
    ann = town.bearer("ann", "acme")
    with opened(town, MemoryBroker(), limits=limits) as lobby, lobby.socket(ann, NAME) as socket:
        assert ended(socket) == (4408, [])


def test_a_new_look_tells_the_handler_of_a_new_role(town: Town, lobby: Lobby) -> None:
    user_id, _ = newcomer(town, ACME, "admin")
    with town.plane.database.begin() as connection:
        key = api_keys.create(connection, ACME, user_id, "key", permissions=["members:read"])[1]
    who = {"Authorization": f"Bearer {key}"}
    with lobby.socket(who) as socket:
        socket.send('{"a": 1}')
        assert told(socket)["roles"] == ["admin"]
        with town.plane.database.begin() as connection:
            memberships.change_role(connection, ACME, user_id, "member")
        socket.send('{"a": 2}')
        assert told(socket)["roles"] == ["member"]


def test_nothing_is_left_of_sockets_that_are_gone(
    town: Town, several: Callable[[], Broker]
) -> None:
    ann = town.bearer("ann", "acme")
    with opened(town, several()) as lobby:
        for _ in range(3):
            with ExitStack() as stack:
                for number in range(10):
                    stack.enter_context(lobby.socket(ann, NAME, f"n/{number}"))
                assert lobby.joined[f"{ACME}/{NAME}"] == 10
            until(lambda: not lobby.channels.here and not lobby.joined)
        channels = lobby.channels
        assert not channels._rechecks._all  # noqa: SLF001 - what is inside
        assert not channels._rechecks._hanging  # noqa: SLF001 - what is inside
        assert not channels._seats._tenants  # noqa: SLF001 - what is inside
        assert not channels._seats._users  # noqa: SLF001 - what is inside
        until(lambda: not channels._hub._steps)  # noqa: SLF001 - what is inside


def test_a_look_that_never_ends_keeps_nobody_else_from_being_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rechecking, "PATIENCE_S", 0.1)

    async def again(connection: object) -> TenantContext:
        if connection == "hangs":
            await asyncio.sleep(3600)
        raise NotPermitted("let in no more")

    async def looked() -> list[int | None]:
        rechecks = Rechecks(again, None, every_s=0.05, idle_s=None)
        here = [
            Subscriber(name, ACME_ANN, waiting=1, ended=lambda _: None)  # type: ignore[arg-type]  # a request's stand-in
            for name in ("hangs", "leaves")
        ]
        for each in here:
            rechecks.add(each)
        running = asyncio.create_task(rechecks.run())
        async with asyncio.timeout(20):
            while any(each.ending is None for each in here):  # noqa: ASYNC110 - of what has no event
                await asyncio.sleep(0.01)
        running.cancel()
        return [each.ending.code for each in here if each.ending is not None]

    assert asyncio.run(looked()) == [1013, 4403]


def test_news_that_can_not_be_asked_for_keep_nobody_from_being_looked_at() -> None:
    class Deaf:
        def follow(self, told: object) -> Callable[[], None]:
            del told
            return lambda: None

        def current(self) -> bool:
            raise OSError("too many open files")

        def keys_of(self, *_: str) -> frozenset[str]:
            return frozenset()

    async def again(_: object) -> TenantContext:
        raise NotPermitted("let in no more")

    async def looked() -> Ending | None:
        rechecks = Rechecks(again, Deaf(), every_s=0.05, idle_s=None)
        request = SimpleNamespace(scope={}, headers={})
        one = Subscriber(request, ACME_ANN, waiting=1, ended=lambda _: None)  # type: ignore[arg-type]  # a request's stand-in
        rechecks.add(one)
        running = asyncio.create_task(rechecks.run())
        await asyncio.wait([running], timeout=1.5)
        running.cancel()
        return one.ending

    assert asyncio.run(looked()) == endings.FORBIDDEN


def test_what_somebody_says_in_doubt_is_taken_when_the_doubt_is_over() -> None:
    down = False

    async def access(_: object) -> TenantContext:
        if down:
            raise Unavailable("nobody can say")
        return TenantContext("acme", "ann")

    channels = Channels(MemoryBroker(), access, recheck_s=1000)

    async def live(websocket: WebSocket) -> None:
        async with channels.socket(websocket, await access(websocket)) as socket:
            await socket.subscribe("a")
            await socket.send("here")
            async for message in socket:
                taken.append(message)
                await socket.send("taken")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with channels:
            yield

    taken: list[Any] = []
    app = FastAPI(lifespan=lifespan, routes=[WebSocketRoute("/live", live)])
    with serving(app) as client:
        url = f"{client.base_url}".replace("http", "ws", 1)
        with connect(f"{url.rstrip('/')}/live", open_timeout=20) as socket:
            assert told(socket) == "here"
            down = True
            for one in tuple(channels._here):  # noqa: SLF001 - as the news do
                one.doubt()
            socket.send('"something"')
            assert silent(socket)
            assert not taken
            down = False
            assert told(socket) == "taken"
            assert taken == ["something"]
