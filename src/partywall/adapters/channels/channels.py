"""What a process has of it: who is here, what is joined, and how messages go out."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from partywall.adapters.channels import endings
from partywall.adapters.channels.hub import Hub
from partywall.adapters.channels.limits import Limits, Seats
from partywall.adapters.channels.naming import Topic
from partywall.adapters.channels.origins import Origins
from partywall.adapters.channels.rechecking import Rechecks
from partywall.adapters.channels.shutdown import forewarned
from partywall.adapters.channels.sockets import TenantSocket, chosen
from partywall.adapters.channels.subscriber import Subscriber
from partywall.errors import ConfigurationError, MessageTooLarge, QuotaExceeded, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from starlette.requests import HTTPConnection
    from starlette.websockets import WebSocket

    from partywall.adapters.channels.brokers import Broker
    from partywall.adapters.channels.rechecking import News
    from partywall.context import TenantContext

CLOSE_S = 5.0
"""So long those who are here may take to go."""


class Channels:
    """The channels of an application, in one process; open it in the application's lifespan.

    ::

        channels = Channels(RedisBroker(url), access, directory=plane.access)

        @app.websocket("/live")
        async def live(
            websocket: WebSocket, context: Annotated[TenantContext, Depends(access)]
        ) -> None:
            async with channels.socket(websocket, context) as socket:
                await socket.subscribe("invoices/7")
                async for message in socket:
                    ...

    Args:
        broker: carries messages between processes.
        access: says who a request is from, the same that admits requests; `TenantAccess`, or a
            coroutine function from a request to a `TenantContext`. A look later on is by its
            method `again`, where it has one.
        directory: tells what has changed: `plane.access`. Without it, a membership's end is
            noticed on the schedule alone.
        origins: of pages that may open a WebSocket besides the application's own.
        limits: what one process grants.
        recheck_s: how old a look at who it is may be.

    Raises:
        ConfigurationError: for what can't work.
    """

    def __init__(
        self,
        broker: Broker,
        access: Callable[[HTTPConnection], Awaitable[TenantContext]],
        *,
        directory: News | None = None,
        origins: Iterable[str] = (),
        limits: Limits = Limits(),  # noqa: B008 - frozen
        recheck_s: float = 30.0,
    ) -> None:
        self.limits = limits
        self.message_bytes = limits.message_bytes or broker.largest_bytes
        if self.message_bytes > broker.largest_bytes:
            raise ConfigurationError(
                f"Limits(message_bytes={self.message_bytes}): this broker carries "
                f"{broker.largest_bytes} at most"
            )
        if recheck_s <= 0:
            raise ConfigurationError("Channels(recheck_s=…): who is here is looked at again")
        self._broker = broker
        self._origins = Origins(origins)
        self._seats = Seats(limits)
        self._hub = Hub(broker)
        self._rechecks = Rechecks(
            getattr(access, "again", access), directory, every_s=recheck_s, idle_s=limits.idle_s
        )
        self._here: set[Subscriber] = set()
        self._open = False
        self._empty = asyncio.Event()
        self._until = AsyncExitStack()

    @property
    def here(self) -> int:
        """How many sockets and streams are open."""
        return len(self._here)

    @property
    def joined(self) -> list[tuple[Topic, int]]:
        """What is joined, and by how many."""
        return [*self._hub.rooms]

    async def __aenter__(self) -> Self:
        """Connect to the broker, and begin to look.

        Raises:
            Unavailable: when the broker can't be reached.
            ConfigurationError: when nothing would be heard from it.
        """
        async with AsyncExitStack() as until:
            await self._hub.start()
            until.push_async_callback(self._hub.close)
            looking = asyncio.create_task(self._rechecks.run())
            until.push_async_callback(ended, looking)
            loop = asyncio.get_running_loop()
            until.enter_context(forewarned(partial(loop.call_soon_threadsafe, self.shut)))
            self._until = until.pop_all()
        self._open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all that is open, and let go of the broker."""
        self.shut()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._emptied(), CLOSE_S)
        await self._until.aclose()

    def shut(self) -> None:
        """Let nobody in from now on, and close what is open with 1001."""
        self._open = False
        for one in tuple(self._here):
            one.end(endings.LEAVING)

    async def publish(self, context: TenantContext, name: str, payload: Any) -> None:
        """Send *payload* to all who have joined the channel *name* of the context's tenant.

        Publish what was committed: a message that comes before its row can be read is followed by
        a reader who doesn't find it.

        Args:
            context: whose channel; as it is made for a request, or by a job.
            name: as in `TenantSocket.subscribe`.
            payload: any value that JSON has.

        Raises:
            InvalidChannel: for what is no name.
            MessageTooLarge: for more than `message_bytes`.
            TypeError, ValueError: for what JSON has not.
            Unavailable: when the broker can't be reached.
        """
        topic = Topic.of(context, name)
        text = self.written(payload)
        if not self._open:
            raise Unavailable("the channels are not open: `async with channels:` in the lifespan")
        await self._hub.publish(topic, text)

    @asynccontextmanager
    async def socket(
        self, websocket: WebSocket, context: TenantContext
    ) -> AsyncIterator[TenantSocket]:
        """Accept a handshake, and close the socket at the end of the block.

        Args:
            websocket: not yet accepted.
            context: who it is, from the dependency that says it of requests.

        Raises:
            NotPermitted: for a page of another origin; refused before it is accepted, as are those
                that follow.
            QuotaExceeded: when there are as many sockets as may be.
            PartywallError: what `access` raises.
        """
        self._origins.admit(websocket)
        async with self.admitted(websocket, context) as subscriber:
            await websocket.accept(subprotocol=chosen(websocket))
            async with TenantSocket(self, websocket, subscriber) as socket:
                yield socket

    @asynccontextmanager
    async def admitted(
        self, connection: HTTPConnection, context: TenantContext
    ) -> AsyncIterator[Subscriber]:
        """Somebody who may hear, for the block: counted, and looked at again from here on.

        Raises:
            PartywallError: what refuses them.
        """
        if not self._open:
            raise Unavailable("the channels are not open: `async with channels:` in the lifespan")
        with self._seats.taken(context):
            subscriber = Subscriber(
                connection,
                context,
                waiting=self.limits.waiting,
                ended=self._hub.leave_all,
            )
            self._here.add(subscriber)
            self._rechecks.add(subscriber)
            try:
                await self._rechecks.look(subscriber)  # what has changed since, nobody has told it
                if not self._open:
                    raise Unavailable("the server stops", retry_after_s=1)
                yield subscriber
            finally:
                subscriber.end(endings.DONE)
                self._hub.leave_all(subscriber)
                self._rechecks.remove(subscriber)
                self._here.discard(subscriber)
                if not self._here:
                    self._empty.set()

    async def join(self, subscriber: Subscriber, name: str) -> None:
        """Let a subscriber hear a channel of its own tenant.

        Raises:
            InvalidChannel: for what is no name.
            QuotaExceeded: when it hears as many as it may.
            PartywallError: as `Hub.join`, and when it is let in no more.
        """
        topic = Topic.of(subscriber.context, name)
        if topic in subscriber.topics:
            return
        if len(subscriber.topics) >= self.limits.channels:
            raise QuotaExceeded("this socket hears as many channels as it may", kind="channels")
        await subscriber.settled()
        await self._hub.join(topic, subscriber)

    def leave(self, subscriber: Subscriber, name: str) -> None:
        """Let it hear no more of a channel.

        Raises:
            InvalidChannel: for what is no name.
        """
        self._hub.leave(Topic.of(subscriber.context, name), subscriber)

    def written(self, payload: Any) -> str:
        """A value as JSON, in ASCII.

        Raises:
            MessageTooLarge: for more than `message_bytes`.
            TypeError, ValueError: for what JSON has not.
        """
        text = json.dumps(payload, allow_nan=False, separators=(",", ":"))
        if len(text) > self.message_bytes:
            raise MessageTooLarge(
                f"a message has {self.message_bytes} bytes at most, and this one {len(text)}: send "
                "an id, and let who hears of it read the rest"
            )
        return text

    async def _emptied(self) -> None:
        while self._here:
            self._empty.clear()
            await self._empty.wait()


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel a task, and wait for its end."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
