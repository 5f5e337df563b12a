"""Brokers on real servers: one connection a process, and nobody is left in the dark by its loss."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis as RedisClient
from redis.asyncio import Redis as AsyncRedis

from partywall import TenantContext
from partywall.adapters.channels import Channels, Limits, MemoryBroker, PostgresBroker, RedisBroker
from partywall.adapters.channels.brokers.postgres import LARGEST
from partywall.adapters.channels.naming import Topic
from partywall.errors import ConfigurationError, InvalidChannel, MissingTenant, Unavailable
from partywall.servers import pgbouncer, redis
from tests.adapters.channels.lobby import PATIENCE_S, ended, opened, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from partywall.adapters.channels import Broker
    from partywall.servers import Postgres
    from tests.adapters.fastapi.town import Town

KEY = secrets.token_hex()
ACME, GLOBEX = (TenantContext(name) for name in ("acme", "globex"))
LISTENING = "SELECT pid FROM pg_stat_activity WHERE application_name = 'partywall channels'"


@asynccontextmanager
async def started(broker: Broker) -> AsyncIterator[tuple[list[tuple[str, str]], list[None]]]:
    """What a broker hears, and how often it was lost."""
    heard: list[tuple[str, str]] = []
    lost: list[None] = []
    await broker.start(
        lambda address, text: heard.append((address, text)), lambda: lost.append(None)
    )
    try:
        yield heard, lost
    finally:
        await broker.close()


async def reached(said: object, wanted: int) -> None:
    """Wait until a list has so many members."""
    assert isinstance(said, list)
    async with asyncio.timeout(PATIENCE_S):
        while len(said) < wanted:  # noqa: ASYNC110 - of what has no event
            await asyncio.sleep(0.005)


def test_one_connection_to_redis_listens_for_all_sockets(town: Town, redis_url: str) -> None:
    ann, bob = town.bearer("ann", "acme"), town.bearer("bob", "globex")
    with opened(town, RedisBroker(redis_url)) as lobby, ExitStack() as stack:
        for number in range(10):
            stack.enter_context(lobby.socket(ann, f"n/{number}"))
            stack.enter_context(lobby.socket(bob, f"n/{number}"))
        with RedisClient.from_url(redis_url) as client:
            assert len(client.client_list(_type="pubsub")) == 1
            channels = {name.decode() for name in client.pubsub_channels()}
        assert len(channels) == 20
        assert {name.split("/")[0] for name in channels} == {"partywall"}
        assert len({name.split("/")[1] for name in channels}) == 2


def test_one_connection_to_postgres_listens_and_no_statement_names_a_channel(town: Town) -> None:
    ann = town.bearer("ann", "acme")
    broker = PostgresBroker(town.database.url(), key=KEY)
    with opened(town, broker) as lobby, ExitStack() as stack:
        for number in range(10):
            stack.enter_context(lobby.socket(ann, f"n/{number}"))
        assert len(town.database.rows(LISTENING)) == 1
        assert lobby.publish(ann, "n/1", "x") == 200
        shown = str(town.database.rows("SELECT query FROM pg_stat_activity"))
        assert "pw_" not in shown
        assert "n/1" not in shown


def test_what_a_login_of_one_tenant_publishes_loses_the_broker_for_nobody(redis_url: str) -> None:
    async def heard() -> None:
        broker = RedisBroker(redis_url)
        mine, theirs = (broker.address(Topic.of(each, "a")) for each in (ACME, GLOBEX))
        async with started(broker) as (heard, lost), AsyncRedis.from_url(redis_url) as server:
            await broker.subscribe(mine)
            await broker.subscribe(theirs)
            await server.publish(theirs, b"\xff\xfe")
            await broker.publish(mine, '"here"')
            await reached(heard, 2)
            assert (mine, '"here"') in heard
            assert not lost

    asyncio.run(heard())


def test_a_lost_redis_is_told_to_all_who_listen(town: Town) -> None:
    ann = town.bearer("ann", "acme")
    with redis() as server, opened(town, RedisBroker(server.url())) as lobby:
        with lobby.socket(ann, "a") as one, lobby.socket(ann, "b") as other:
            with RedisClient.from_url(server.url()) as client:
                client.client_kill_filter(_type="pubsub")
            assert ended(one)[0] == ended(other)[0] == 1013
        with lobby.socket(ann, "a") as again:
            assert lobby.publish(ann, "a", "here") == 200
            assert told(again)["data"] == "here"


def test_a_lost_postgres_is_told_to_all_who_listen(town: Town) -> None:
    ann = town.bearer("ann", "acme")
    broker = PostgresBroker(town.database.url(), key=KEY)
    with opened(town, broker) as lobby:
        with lobby.socket(ann, "a") as one, lobby.socket(ann, "b") as other:
            [(pid,)] = town.database.rows(LISTENING)
            town.database.execute(f"SELECT pg_terminate_backend({pid})")
            assert ended(one)[0] == ended(other)[0] == 1013
        with lobby.socket(ann, "a") as again:
            assert lobby.publish(ann, "a", "here") == 200
            assert told(again)["data"] == "here"


def test_a_broker_that_is_not_there_is_said_at_the_start() -> None:
    async def start(broker: Broker) -> None:
        with pytest.raises(Unavailable):
            await broker.start(lambda *_: None, lambda: None)
        await broker.close()

    asyncio.run(start(RedisBroker("redis://127.0.0.1:1")))
    asyncio.run(start(PostgresBroker("postgresql://127.0.0.1:1/x", key=KEY)))


def test_a_pooler_behind_which_nothing_is_heard_is_refused(postgres18: Postgres) -> None:
    async def start(url: str) -> None:
        broker = PostgresBroker(url, key=KEY, heartbeat_s=0.3)
        try:
            with pytest.raises(ConfigurationError, match="pooler"):
                await broker.start(lambda *_: None, lambda: None)
        finally:
            await broker.close()

    with pgbouncer(postgres18, {"pool_mode": "transaction"}) as bouncer:
        asyncio.run(start(bouncer.url("postgres")))


def test_names_at_postgres_are_digests_that_take_the_key() -> None:
    url = "postgresql://127.0.0.1/x"
    one, other = PostgresBroker(url, key=KEY), PostgresBroker(url, key=KEY[::-1])
    topics = [Topic.of(context, name) for context in (ACME, GLOBEX) for name in ("a", "b")]
    named = {each.address(topic) for each in (one, other) for topic in topics}
    assert len(named) == 8
    assert all(len(name) <= 63 and "acme" not in name for name in named)
    with pytest.raises(ConfigurationError, match="16 bytes"):
        PostgresBroker(url, key=b"short")


def test_many_messages_at_once_arrive_each_once_and_in_order(town: Town) -> None:
    async def send() -> None:
        broker = PostgresBroker(town.database.url(), key=KEY)
        async with started(broker) as (heard, lost):
            address = broker.address(Topic.of(ACME, "a"))
            await broker.subscribe(address)
            largest = '"' + "x" * (LARGEST - 2) + '"'
            await broker.publish(address, largest)
            sending = [broker.publish(address, str(number // 2)) for number in range(1000)]
            await asyncio.gather(*sending)
            await reached(heard, 1001)
            assert heard == [(address, largest)] + [(address, str(n // 2)) for n in range(1000)]
            assert not lost

    asyncio.run(send())


def test_a_message_whose_sender_gave_up_is_not_sent_later(town: Town) -> None:
    async def send() -> None:
        broker = PostgresBroker(town.database.url(), key=KEY)
        async with started(broker) as (heard, _):
            address = broker.address(Topic.of(ACME, "a"))
            await broker.subscribe(address)
            async with broker._turn:  # noqa: SLF001 - what is inside
                given_up = asyncio.create_task(broker.publish(address, "late"))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                given_up.cancel()
                await asyncio.gather(given_up, return_exceptions=True)
            await broker.publish(address, "next")
            await reached(heard, 1)
            assert heard == [(address, "next")]

    asyncio.run(send())


def test_more_bytes_than_a_broker_carries_can_t_be_allowed() -> None:
    async def access(_: object) -> TenantContext:
        return ACME

    broker = PostgresBroker("postgresql://127.0.0.1/x", key=KEY)
    with pytest.raises(ConfigurationError, match=str(LARGEST)):
        Channels(broker, access, limits=Limits(message_bytes=LARGEST + 1))
    assert Channels(broker, access).message_bytes == LARGEST
    assert Channels(MemoryBroker(), access).message_bytes > LARGEST


PARTS = st.lists(st.sampled_from(["a", "b1", "a.b", "a:b", "a@b", "_"]), min_size=1, max_size=3)
ODD = st.text("ab/*?.:@_-[] \n", max_size=8) | st.text(max_size=8)


@given(ODD | PARTS.map("/".join), PARTS.map("/".join))
def test_a_name_is_one_channel_s_and_none_leads_out_of_its_tenant(name: str, theirs: str) -> None:
    try:
        topic = Topic.of(ACME, name)
    except InvalidChannel:
        assert name not in {"a", "a/b"}
        return
    assert not set(name) & set("*?[]^\\ \n\0#+>,{}%$")
    assert not {"", ".", ".."} & {*name.split("/")}
    assert topic.path == f"acme/{name}"
    assert Topic.of(GLOBEX, theirs).path != topic.path


def test_without_a_context_there_is_no_channel() -> None:
    for nobody in (None, "", "acme"):
        with pytest.raises(MissingTenant):
            Topic.of(nobody, "a")  # type: ignore[arg-type]  # what is refused
