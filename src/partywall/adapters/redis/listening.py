"""Messages on the channels of one tenant.

https://redis.io/docs/latest/develop/pubsub/
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from typing import Self

    from partywall.adapters.redis.keyspace import Keyspace

FOR_EVER_S = 3600.0
"""One wait of those that have no end."""


class Message(NamedTuple):
    """What somebody published, on which channel of the tenant."""

    channel: str
    data: bytes


class Listening:
    """What is listened to, and how what comes is read."""

    def __init__(
        self, redis: Any, space: Keyspace, channels: Sequence[str], patterns: Sequence[str]
    ) -> None:
        self._redis, self._space = redis, space
        self._channels = [space.key(channel) for channel in channels]
        self._patterns = [space.pattern(pattern) for pattern in patterns]
        self._pubsub: Any = None

    @property
    def _wanted(self) -> int:
        return len({*self._channels}) + len({*self._patterns})

    def _read(self, raw: Any) -> Message | None:
        if raw is None or raw["type"] not in {"message", "pmessage"}:
            return None
        channel = self._space.name(raw["channel"])
        return Message(channel, self._space.opened(f"c:{channel}", raw["data"]))


class Subscription(Listening):
    """Messages, for a `with` block and a `for` in it; nothing that comes after `with` is missed."""

    def get(self, timeout_s: float) -> Message | None:
        """The next message; None where there is none for so long."""
        end = time.monotonic() + timeout_s
        while True:
            left = max(0.0, end - time.monotonic())
            raw = self._pubsub.get_message(timeout=left)
            if (message := self._read(raw)) is not None:
                return message
            if raw is None and time.monotonic() >= end:
                return None

    def __iter__(self) -> Iterator[Message]:
        """Each message as it comes, for ever."""
        while True:
            if (message := self.get(FOR_EVER_S)) is not None:
                yield message

    def __enter__(self) -> Self:
        """Listen, once the server says so."""
        self._pubsub = self._redis.pubsub()
        try:
            if self._channels:
                self._pubsub.subscribe(*self._channels)
            if self._patterns:
                self._pubsub.psubscribe(*self._patterns)
            for _ in range(self._wanted):
                self._pubsub.parse_response(block=True)
        except BaseException:
            self._pubsub.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no longer."""
        self._pubsub.close()


class AsyncSubscription(Listening):
    """As `Subscription`, for `async with` and `async for`."""

    async def get(self, timeout_s: float) -> Message | None:
        """The next message; None where there is none for so long."""
        end = time.monotonic() + timeout_s
        while True:
            left = max(0.0, end - time.monotonic())
            raw = await self._pubsub.get_message(timeout=left)
            if (message := self._read(raw)) is not None:
                return message
            if raw is None and time.monotonic() >= end:
                return None

    async def __aiter__(self) -> AsyncIterator[Message]:
        """Each message as it comes, for ever."""
        while True:
            if (message := await self.get(FOR_EVER_S)) is not None:
                yield message

    async def __aenter__(self) -> Self:
        """Listen, once the server says so."""
        self._pubsub = self._redis.pubsub()
        try:
            if self._channels:
                await self._pubsub.subscribe(*self._channels)
            if self._patterns:
                await self._pubsub.psubscribe(*self._patterns)
            for _ in range(self._wanted):
                await self._pubsub.parse_response(block=True)
        except BaseException:
            await self._pubsub.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Listen no longer."""
        await self._pubsub.aclose()
