"""Who hears: one socket or stream, what waits to be sent to it, and whether it may still be sent.

Between the news of a change that may concern somebody and the new look at them, nothing is sent to
them and nothing is taken from them: `doubt` holds both back, `confirm` lets them go on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

from partywall.adapters.channels.endings import SLOW
from partywall.errors import TenantMismatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import HTTPConnection

    from partywall.adapters.channels.endings import Ending
    from partywall.adapters.channels.naming import Topic
    from partywall.context import TenantContext


class Subscriber:
    """One socket or stream.

    Args:
        connection: the request that opened it, by which it is looked at again.
        context: who it is.
        waiting: as many messages wait at most.
        ended: is called once, when it ends.

    Attributes:
        context: who it is, by the last look.
        topics: what it has joined.
        ending: why it has ended; None as long as it has not.
        doubts: how often there was news; a look that began before the last of them says nothing.
        checked_s: when (`time.monotonic`) the last look began that confirmed it.
        active_s: when something was last said or heard.
    """

    __slots__ = (
        "_certain", "_ended", "_most", "_waiting", "_woken", "active_s", "checked_s", "connection",
        "context", "doubts", "ending", "retry_s", "topics",
    )  # fmt: skip

    def __init__(
        self,
        connection: HTTPConnection,
        context: TenantContext,
        *,
        waiting: int,
        ended: Callable[[Subscriber], None],
    ) -> None:
        self.connection, self.context = connection, context
        self.topics: set[Topic] = set()
        self.ending: Ending | None = None
        self.doubts = 0
        self.checked_s = self.active_s = monotonic()
        self.retry_s = 0.0
        self._most, self._ended = waiting, ended
        self._waiting: deque[str] = deque()
        self._woken = asyncio.Event()
        self._certain = asyncio.Event()

    @property
    def certain(self) -> bool:
        """Whether nothing is known that could have changed who it is."""
        return self._certain.is_set()

    def doubt(self) -> None:
        """Hold everything back until the next look."""
        self.doubts += 1
        self._certain.clear()

    def confirm(self, context: TenantContext, began_s: float) -> None:
        """Go on as *context*.

        Raises:
            TenantMismatch: when it is another tenant's, or another user's.
        """
        was = self.context
        if (context.tenant_id, context.user_id) != (was.tenant_id, was.user_id):
            raise TenantMismatch("the request that opened this socket now means somebody else")
        self.context, self.checked_s = context, began_s
        self._certain.set()
        self._woken.set()

    def put(self, topic: Topic, text: str) -> None:
        """Take a message of a channel.

        Raises:
            TenantMismatch: when the channel is another tenant's.
        """
        if topic.tenant_id != self.context.tenant_id:
            raise TenantMismatch("a message of one tenant was about to be sent to another")
        self.push(text)

    def push(self, text: str) -> None:
        """Have *text* sent; who takes messages too slowly has ended with it."""
        if self.ending is not None:
            return
        if len(self._waiting) >= self._most:
            self.end(SLOW)
            return
        self._waiting.append(text)
        self._woken.set()

    async def next(self) -> str:
        """What is to be sent next; waits for it. May be cancelled, nothing is lost by it.

        Raises:
            SocketClosed: when it has ended.
        """
        while True:
            if self.ending is not None and not (self.ending.orderly and self._waiting):
                raise self.ending.error
            if self._waiting and self.certain:
                self.active_s = monotonic()
                return self._waiting.popleft()
            self._woken.clear()
            await self._woken.wait()

    async def settled(self) -> None:
        """Wait until it is certain who it is, or has ended.

        Raises:
            SocketClosed: when it has ended.
        """
        await self._certain.wait()
        if self.ending is not None:
            raise self.ending.error

    def end(self, ending: Ending) -> None:
        """End it; the first reason stays, unless this one leaves no time for what waits."""
        first = self.ending is None
        if self.ending is not None and (ending.orderly or not self.ending.orderly):
            return
        self.ending = ending
        if not ending.orderly:
            self._waiting.clear()
            self._certain.set()
        self._woken.set()
        if first:
            self._ended(self)
