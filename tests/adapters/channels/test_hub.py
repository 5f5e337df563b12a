"""Joining and leaving at the same time, losses in between, and doubts about who it is."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from partywall import TenantContext
from partywall.adapters.channels import Channels, Limits, MemoryBroker
from partywall.adapters.channels.endings import DONE, FORBIDDEN, LOST, SLOW
from partywall.adapters.channels.hub import Hub
from partywall.adapters.channels.naming import Topic
from partywall.adapters.channels.subscriber import Subscriber
from partywall.errors import (
    NotPermitted,
    SocketClosed,
    TenantMismatch,
    Unavailable,
)

ACME, GLOBEX = (TenantContext(name, "ann") for name in ("acme", "globex"))
ASKED = HTTPConnection({"type": "http", "headers": []})
NAMES = ("a", "b", "c")


@dataclass
class Slow(MemoryBroker):
    """A broker in memory whose steps take as many turns of the loop as chance wants."""

    seed: int
    fails: float = 0.0
    connection: int = 0

    def __post_init__(self) -> None:
        super().__init__()
        self._chance = random.Random(self.seed)  # noqa: S311 - no secret
        self.lose: Any = None

    async def start(self, heard: Any, lost: Any) -> None:  # noqa: ANN401 - any value
        self.lose = lost
        await super().start(heard, lost)

    async def turns(self, connection: int) -> None:
        """Go on with what was begun on a connection, unless it was lost meanwhile."""
        for _ in range(self._chance.randrange(5)):
            await asyncio.sleep(0)
        if self._chance.random() < self.fails and connection == self.connection:
            self._subscribed.clear()
            self.connection += 1
            self.lose()
        if connection != self.connection:
            raise Unavailable("by chance")

    async def subscribe(self, address: str) -> None:
        assert address not in self._subscribed, "subscribed twice"
        connection = self.connection
        await self.turns(connection)
        await super().subscribe(address)
        await self.turns(connection)

    async def unsubscribe(self, address: str) -> None:
        connection = self.connection
        await self.turns(connection)
        await super().unsubscribe(address)
        await self.turns(connection)


def subscriber(hub: Hub, context: TenantContext = ACME, waiting: int = 1000) -> Subscriber:
    made = Subscriber(ASKED, context, waiting=waiting, ended=hub.leave_all)
    made.confirm(context, 0.0)
    return made


def drained(one: Subscriber) -> list[str]:
    found = [*one._waiting]  # noqa: SLF001 - what is inside
    one._waiting.clear()  # noqa: SLF001 - what is inside
    return found


@settings(deadline=None)
@given(seed=st.integers(0, 2**32), fails=st.sampled_from([0.0, 0.0, 0.1]))
def test_whoever_comes_and_goes_hears_what_it_has_joined_and_nothing_else(  # noqa: C901 - one play, in its order
    seed: int, fails: float
) -> None:
    async def play() -> None:  # noqa: C901 - one play, in its order
        chance, broker = random.Random(seed), Slow(seed, fails)  # noqa: S311 - no secret
        hub = Hub(broker)
        await hub.start()
        several = [subscriber(hub, context) for context in (ACME, ACME, GLOBEX)]

        async def one(who: Subscriber) -> set[str]:
            joined: set[str] = set()
            for _ in range(12):
                name = chance.choice(NAMES)
                topic = Topic.of(who.context, name)
                if name in joined:
                    hub.leave(topic, who)
                    joined.discard(name)
                    continue
                joining = asyncio.create_task(hub.join(topic, who))
                if chance.random() < 0.3:
                    for _ in range(chance.randrange(1, 8)):
                        await asyncio.sleep(0)
                    joining.cancel()
                try:
                    await joining
                    joined.add(name)
                except (asyncio.CancelledError, Unavailable):
                    pass
                except SocketClosed:
                    return set()
            return joined

        all_joined = await asyncio.gather(*map(one, several))
        broker.fails = 0.0
        while hub._steps:  # noqa: SLF001 - what is inside
            await asyncio.gather(*hub._steps, return_exceptions=True)  # noqa: SLF001 - what is inside
        alive = [who.ending is None for who in several]
        for who in several:
            drained(who)
        for context in (ACME, GLOBEX):
            for name in NAMES:
                await hub.publish(Topic.of(context, name), f'"{context.tenant_id} {name}"')
        for who, joined, living in zip(several, all_joined, alive, strict=True):
            tenant = who.context.tenant_id
            wanted = [f'{{"channel":"{n}","data":"{tenant} {n}"}}' for n in NAMES if n in joined]
            assert drained(who) == (wanted if living else [])
        for who in several:
            who.end(DONE)
        await hub.close()
        assert not hub._rooms  # noqa: SLF001 - what is inside
        assert not broker._subscribed  # noqa: SLF001 - what is inside
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(play())


def test_nobody_joins_or_is_sent_what_is_another_tenant_s() -> None:
    async def play() -> None:
        hub = Hub(MemoryBroker())
        await hub.start()
        one = subscriber(hub, ACME)
        theirs = Topic.of(GLOBEX, "a")
        with pytest.raises(TenantMismatch):
            await hub.join(theirs, one)
        with pytest.raises(TenantMismatch):
            one.put(theirs, "{}")
        await hub.join(Topic.of(ACME, "a"), one)
        one.context = GLOBEX  # as no code does
        await hub.publish(Topic.of(ACME, "a"), "1")
        assert one.ending == LOST

    asyncio.run(play())


def test_two_channels_at_one_address_are_never_one() -> None:
    class Careless(MemoryBroker):
        def address(self, topic: Topic) -> str:
            return topic.name

    async def play() -> None:
        hub = Hub(Careless())
        await hub.start()
        await hub.join(Topic.of(GLOBEX, "a"), subscriber(hub, GLOBEX))
        with pytest.raises(TenantMismatch):
            await hub.join(Topic.of(ACME, "a"), subscriber(hub, ACME))

    asyncio.run(play())


def test_nothing_is_sent_between_the_news_and_the_look() -> None:
    async def play() -> None:
        hub = Hub(MemoryBroker())
        one = subscriber(hub)
        one.push("before")
        assert await one.next() == "before"
        one.doubt()
        one.push("meanwhile")
        waiting = asyncio.create_task(one.next())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()
        one.confirm(ACME, 0.0)
        assert await waiting == "meanwhile"
        one.push("last")
        one.doubt()
        one.end(FORBIDDEN)
        with pytest.raises(SocketClosed) as closed:
            await one.next()
        assert closed.value.code == 4403

    asyncio.run(play())


def test_a_look_that_began_before_the_news_says_nothing() -> None:
    async def play() -> None:
        asked, answers = asyncio.Event(), [asyncio.Event(), asyncio.Event()]
        refused = False

        async def access(_: HTTPConnection) -> TenantContext:
            answer = answers.pop(0)
            seen = refused
            asked.set()
            await answer.wait()
            if seen:
                raise NotPermitted("no more")
            return ACME

        first, second = answers
        first.set()
        channels = Channels(MemoryBroker(), access, recheck_s=1000)
        async with channels, channels.admitted(ASKED, ACME) as one:
            one.doubt()
            await until(lambda: not answers)  # a look is under way, which saw nothing
            refused = True
            answers.append(asyncio.Event())
            answers[0].set()
            one.doubt()
            second.set()
            await until(lambda: one.ending is not None)
            assert one.ending == FORBIDDEN

    asyncio.run(play())


async def until(said: Any) -> None:  # noqa: ANN401 - any value
    async with asyncio.timeout(20):
        while not said():  # noqa: ASYNC110 - of what has no event
            await asyncio.sleep(0.01)


def test_whom_nobody_can_answer_for_is_closed_after_a_while() -> None:
    async def play() -> None:
        down = False

        async def access(_: HTTPConnection) -> TenantContext:
            if down:
                raise Unavailable("the control plane is down")
            return ACME

        channels = Channels(MemoryBroker(), access, recheck_s=0.1)
        async with channels, channels.admitted(ASKED, ACME) as one:
            down = True
            await until(lambda: one.ending is not None)
            assert one.ending is not None
            assert one.ending.code == 1013

    asyncio.run(play())


def test_another_user_behind_the_same_request_is_not_let_in() -> None:
    async def play() -> None:
        async def access(_: HTTPConnection) -> TenantContext:
            return TenantContext("acme", "bob")

        async with Channels(MemoryBroker(), access) as channels:
            with pytest.raises(TenantMismatch):
                async with channels.admitted(ASKED, ACME):
                    raise AssertionError
            assert not channels.here

    asyncio.run(play())


def test_whoever_waits_too_long_is_ended_with_an_empty_queue() -> None:
    async def play() -> None:
        hub = Hub(MemoryBroker())
        await hub.start()
        one = subscriber(hub, waiting=3)
        await hub.join(Topic.of(ACME, "a"), one)
        for _ in range(10):
            await hub.publish(Topic.of(ACME, "a"), "1")
        assert one.ending == SLOW
        assert not one._waiting  # noqa: SLF001 - what is inside
        assert not [*hub.rooms] or [*hub.rooms] == [(Topic.of(ACME, "a"), 0)]
        await hub.close()
        assert not [*hub.rooms]

    asyncio.run(play())


def test_closing_leaves_no_task_behind() -> None:
    async def play() -> None:
        async def access(_: HTTPConnection) -> TenantContext:
            return ACME

        for _ in range(3):
            channels = Channels(MemoryBroker(), access, limits=Limits(waiting=5))
            async with channels, channels.admitted(ASKED, ACME) as one:
                await channels.join(one, "a")
                await channels.publish(ACME, "a", {"x": 1})
                assert await one.next() == '{"channel":"a","data":{"x":1}}'
            with pytest.raises(Unavailable):
                await channels.publish(ACME, "a", 1)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(play())
