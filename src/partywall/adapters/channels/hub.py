"""Who has joined what in this process, over one connection to the broker.

The first who joins a channel has the broker subscribe to it, with the last who leaves it lets go.
What is to be is set down at once, and brought about channel by channel, one step after the other:
whoever comes while the last one goes finds the channel open, or waits until it is again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from partywall.adapters.channels.endings import LOST
from partywall.errors import TenantMismatch, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.adapters.channels.brokers import Broker
    from partywall.adapters.channels.naming import Topic
    from partywall.adapters.channels.subscriber import Subscriber

LOG = logging.getLogger("partywall.channels")


@dataclass(slots=True)
class Room:
    """A channel that somebody here has joined.

    Attributes:
        begins: what stands before each message that is sent from it.
        open: whether the broker is subscribed.
    """

    topic: Topic
    begins: str
    members: set[Subscriber] = field(default_factory=set)
    open: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Hub:
    """Passes on what the broker hears.

    Args:
        broker: brings messages from all processes.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._rooms: dict[str, Room] = {}
        self._steps: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Connect.

        Raises:
            Unavailable: when the broker can't be reached.
            ConfigurationError: when it can't work there.
        """
        await self._broker.start(self._heard, self._lost)

    async def close(self) -> None:
        """Let go of the connection; all who have joined have ended before."""
        while self._steps:
            await asyncio.gather(*self._steps, return_exceptions=True)
        await self._broker.close()

    @property
    def rooms(self) -> Iterator[tuple[Topic, int]]:
        """What is joined, and by how many."""
        return ((room.topic, len(room.members)) for room in self._rooms.values())

    async def join(self, topic: Topic, subscriber: Subscriber) -> None:
        """Let *subscriber* hear a channel: all that is published from the return on.

        Raises:
            TenantMismatch: when the channel is not of its tenant.
            SocketClosed: when it has ended.
            Unavailable: when the broker can't be reached.
        """
        if topic.tenant_id != subscriber.context.tenant_id:
            raise TenantMismatch("this channel is of another tenant than who asks for it")
        if subscriber.ending is not None:
            raise subscriber.ending.error
        address = self._broker.address(topic)
        room = self._rooms.get(address)
        if room is None:
            begins = f'{{"channel":{json.dumps(topic.name)},"data":'
            room = self._rooms[address] = Room(topic, begins)
        if room.topic != topic:
            raise TenantMismatch("two channels have one address at the broker")
        room.members.add(subscriber)
        subscriber.topics.add(topic)
        try:
            await asyncio.shield(self._begun(address, room))  # who gives up leaves it half done
        except BaseException:
            self.leave(topic, subscriber)
            raise
        if subscriber.ending is not None:  # meanwhile
            raise subscriber.ending.error
        if self._rooms.get(address) is not room:
            raise Unavailable("the broker was lost while the channel was joined", retry_after_s=1)

    def leave(self, topic: Topic, subscriber: Subscriber) -> None:
        """Let *subscriber* hear no more of a channel, at once."""
        subscriber.topics.discard(topic)
        address = self._broker.address(topic)
        room = self._rooms.get(address)
        if room is None or subscriber not in room.members:
            return
        room.members.discard(subscriber)
        if not room.members:
            _ = self._begun(address, room)

    def leave_all(self, subscriber: Subscriber) -> None:
        """Let it hear nothing more."""
        for topic in tuple(subscriber.topics):
            self.leave(topic, subscriber)

    async def publish(self, topic: Topic, text: str) -> None:
        """Send a JSON text to all, in every process, who have joined the channel.

        Raises:
            Unavailable: when the broker can't be reached; whether it was sent is not known.
        """
        await self._broker.publish(self._broker.address(topic), text)

    def _begun(self, address: str, room: Room) -> asyncio.Task[None]:
        """A step towards what is to be, which goes on also when nobody waits for it."""
        step = asyncio.create_task(self._settle(address, room))
        self._steps.add(step)
        step.add_done_callback(self._ended)
        return step

    def _ended(self, step: asyncio.Task[None]) -> None:
        self._steps.discard(step)
        if not step.cancelled() and (error := step.exception()) is not None:
            LOG.debug("a channel could not be joined or left: %s", error)

    async def _settle(self, address: str, room: Room) -> None:
        """Bring about what is to be; where it has changed meanwhile, again."""
        async with room.turn:
            try:
                while room.open != bool(room.members) and self._rooms.get(address) is room:
                    if room.members:
                        await self._broker.subscribe(address)
                    else:
                        await self._broker.unsubscribe(address)
                    room.open = not room.open
            except Unavailable:
                room.open = False  # it went with the connection
                raise
            finally:
                if not room.members and not room.open and self._rooms.get(address) is room:
                    del self._rooms[address]

    def _heard(self, address: str, text: str) -> None:
        room = self._rooms.get(address)
        if room is None:
            return
        whole = f"{room.begins}{text}}}"
        for each in tuple(room.members):
            try:
                each.put(room.topic, whole)
            except TenantMismatch:
                LOG.critical("a subscriber stood in another tenant's channel, and was closed")
                each.end(LOST)

    def _lost(self) -> None:
        """End all who may have missed something."""
        rooms, self._rooms = self._rooms, {}
        for room in rooms.values():
            for each in tuple(room.members):
                each.end(LOST)
