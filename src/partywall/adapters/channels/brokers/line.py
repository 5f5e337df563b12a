"""One connection to a broker's server: made when it is needed, and lost as a whole."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from partywall.errors import Unavailable

if TYPE_CHECKING:
    from partywall.adapters.channels.brokers.broker import Heard, Lost

LOG = logging.getLogger("partywall.channels")

PAUSE_S = 0.5
"""After an attempt to connect that failed: whoever comes meanwhile is refused at once."""

T = TypeVar("T")


class Line(ABC, Generic[T]):
    """What brokers with a server have in common.

    Args:
        heartbeat_s: how often the server is asked for a sign of life; it has as long to answer.
    """

    errors: ClassVar[tuple[type[Exception], ...]]
    """Of the driver, for a server that does not answer."""

    def __init__(self, *, heartbeat_s: float) -> None:
        self.heartbeat_s = heartbeat_s
        self._heard: Heard | None = None
        self._lost: Lost | None = None
        self._failures: tuple[type[Exception], ...] = (*self.errors, OSError, TimeoutError)
        self._connection: T | None = None
        self._connecting = asyncio.Lock()
        self._failed_s = -PAUSE_S
        self._watching: asyncio.Task[None] | None = None
        self._closed = True

    async def start(self, heard: Heard, lost: Lost) -> None:
        """As `Broker.start`."""
        self._heard, self._lost, self._closed = heard, lost, False
        await self.connected()

    async def close(self) -> None:
        """As `Broker.close`."""
        self._closed = True
        connection, self._connection = self._connection, None
        await self._stop_watching()
        if connection is not None:
            with suppress(*self._failures):
                await self.disconnect(connection)

    async def connected(self) -> T:
        """The connection; a new one where there is none.

        Raises:
            Unavailable: when there can't be one.
        """
        if self._connection is not None:
            return self._connection
        async with self._connecting:
            if self._connection is not None:
                return self._connection
            if self._closed or monotonic() - self._failed_s < PAUSE_S:
                raise Unavailable("the broker of the channels can't be reached", retry_after_s=1)
            try:
                async with asyncio.timeout(3 * self.heartbeat_s):
                    connection = await self.connect()
            except self._failures as error:
                self._failed_s = monotonic()
                LOG.warning("no connection to the broker of the channels: %s", type(error).__name__)
                raise Unavailable(
                    "the broker of the channels can't be reached: look whether it is up",
                    retry_after_s=1,
                ) from error
            await self._stop_watching()
            self._connection = connection
            self._watching = asyncio.create_task(self._watch(connection))
            return connection

    def broken(self, connection: T) -> None:
        """Tell, once, that a connection is good no more."""
        if self._connection is connection:
            self._connection = None
            LOG.warning("the connection to the broker of the channels was lost")
            if self._lost is not None:
                self._lost()

    def heard(self, address: str, text: str) -> None:
        """Pass on a message."""
        if self._heard is not None:
            self._heard(address, text)

    @property
    def connection(self) -> T | None:
        """The connection that is good, as far as anybody knows."""
        return self._connection

    def unsure(self, connection: T | None, error: BaseException) -> Unavailable:
        """What is raised when a connection, of those that listen or another, fails in something."""
        if connection is not None:
            self.broken(connection)
        return Unavailable(
            f"the broker of the channels was lost: {type(error).__name__}", retry_after_s=1
        )

    async def _watch(self, connection: T) -> None:
        """Listen, until it breaks."""
        try:
            with suppress(*self._failures):
                await self.listen(connection)
        finally:
            self.broken(connection)
            with suppress(*self._failures):
                await self.disconnect(connection)

    async def _stop_watching(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None and watching is not asyncio.current_task():
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    @abstractmethod
    async def connect(self) -> T:
        """Open a connection, on which something is heard."""

    @abstractmethod
    async def listen(self, connection: T) -> None:
        """Pass on what comes, and see that the server lives; return or raise when it doesn't."""

    @abstractmethod
    async def disconnect(self, connection: T) -> None:
        """Close a connection, good or not."""
