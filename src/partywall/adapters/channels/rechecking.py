"""Who was let in is looked at again: on a schedule, and at once when something has changed.

The news come from the control plane, in whichever thread hears them. What they may concern is held
back in the very next step of the loop, so that a message which is published after a membership's
end was committed in this process is not sent any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from starlette.exceptions import HTTPException

from partywall.adapters.channels import endings
from partywall.errors import PartywallError, PoolTimeout, Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import HTTPConnection

    from partywall.adapters.channels.subscriber import Subscriber
    from partywall.context import TenantContext

LOG = logging.getLogger("partywall.channels")

TICK_S = 0.25
"""How often it is looked who is due, and on SQLite whether anything has changed."""

AGAIN_S = 1.0
"""After a look that got no answer."""

PATIENCE_S = 10.0
"""So long a look may take at least: those that follow wait for it."""

AT_ONCE = 20
TOO_OLD = 2
"""So many times the schedule may pass without an answer."""


BEARER = "bearer."
"""What a subprotocol begins with that is a credential: never the one that is chosen."""


class News(Protocol):
    """Tells what has changed: `plane.access`."""

    def follow(self, told: Callable[[frozenset[str]], None]) -> Callable[[], None]:
        """Call *told* with the keys that changed, none for anything; what ends it."""

    def current(self) -> bool:
        """Look whether anything has."""

    def keys_of(self, tenant_id: str, user_id: str, credential: str = "") -> frozenset[str]:
        """The keys on which it hangs whether somebody is let in."""


class Rechecks:
    """Looks at all who were let in.

    Args:
        again: who it is by the request that opened the socket; raises what refuses it.
        news: tells of changes.
        every_s: how old a look may be.
        idle_s: who neither says nor hears anything for so long has ended; None for never.
    """

    def __init__(
        self,
        again: Callable[[HTTPConnection], Awaitable[TenantContext]],
        news: News | None,
        *,
        every_s: float,
        idle_s: float | None,
    ) -> None:
        self._again, self._news = again, news
        self._every_s, self._idle_s = every_s, idle_s
        self._all: dict[Subscriber, frozenset[str]] = {}
        self._hanging: defaultdict[str, set[Subscriber]] = defaultdict(set)
        self._woken = asyncio.Event()

    def add(self, subscriber: Subscriber) -> None:
        """Look at it from now on."""
        context = subscriber.context
        keys: frozenset[str] = frozenset()
        if self._news is not None:
            shown = credential(subscriber.connection)
            keys = self._news.keys_of(context.tenant_id, context.user_id, shown)
        self._all[subscriber] = keys
        for key in keys:
            self._hanging[key].add(subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        """Look at it no more."""
        for key in self._all.pop(subscriber, ()):
            self._hanging[key].discard(subscriber)
            if not self._hanging[key]:
                del self._hanging[key]

    async def look(self, subscriber: Subscriber) -> None:
        """Confirm that it is who it was.

        Raises:
            PartywallError, HTTPException: what refuses it, or that nobody can say.
        """
        began_s, doubts = monotonic(), subscriber.doubts
        context = await self._again(subscriber.connection)
        if subscriber.doubts == doubts:
            subscriber.confirm(context, began_s)

    async def run(self) -> None:
        """Go on looking, for ever."""
        loop = asyncio.get_running_loop()

        def told(keys: frozenset[str]) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody is left
                loop.call_soon_threadsafe(self._doubt, keys)

        stop = self._news.follow(told) if self._news is not None else None
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), TICK_S)
                self._woken.clear()
                if self._news is not None:
                    self._ask(self._news)
                    await asyncio.sleep(0)  # what it has told is noted
                await self._sweep()
        finally:
            if stop is not None:
                stop()

    def _ask(self, news: News) -> None:
        """Have it look for changes; where it can't, the schedule still notices them."""
        try:
            news.current()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the looking
            LOG.warning("what has changed can't be asked for: %s", type(error).__name__)

    def _doubt(self, keys: frozenset[str]) -> None:
        met = [*self._all] if not keys else {one for key in keys for one in self._concerned(key)}
        for subscriber in met:
            subscriber.doubt()
            subscriber.retry_s = 0.0
        if met:
            self._woken.set()

    def _concerned(self, key: str) -> set[Subscriber]:
        return self._hanging.get(key, set())

    async def _sweep(self) -> None:
        """Look at all who are due."""
        now_s, due = monotonic(), []
        for one in self._all:
            if self._idle_s is not None and now_s - one.active_s > self._idle_s:
                one.end(endings.IDLE)
            old = now_s - one.checked_s > self._every_s or not one.certain
            if old and one.retry_s <= now_s and (one.ending is None or one.ending.orderly):
                due.append(one)
        for start in range(0, len(due), AT_ONCE):
            await asyncio.gather(*map(self._judged, due[start : start + AT_ONCE]))
            await asyncio.sleep(0)

    async def _judged(self, subscriber: Subscriber) -> None:
        """Look at one, and end it where it is let in no more."""
        try:
            async with asyncio.timeout(max(PATIENCE_S, self._every_s)):
                await self.look(subscriber)
        except (Unavailable, PoolTimeout, TimeoutError):
            subscriber.retry_s = monotonic() + AGAIN_S
            if monotonic() - subscriber.checked_s > TOO_OLD * self._every_s:
                subscriber.end(endings.UNCONFIRMED)
        except (PartywallError, HTTPException) as error:
            subscriber.end(endings.of(error))
        except Exception:
            LOG.exception("a socket is closed, for it could not be looked at again")
            subscriber.end(endings.UNCONFIRMED)


def credential(connection: HTTPConnection) -> str:
    """What was shown: in the header, or among a WebSocket's subprotocols."""
    offered = [p for p in connection.scope.get("subprotocols", ()) if p.startswith(BEARER)]
    told = connection.headers.get("authorization", "").rpartition(" ")[2]
    return told or "".join(offered[:1]).removeprefix(BEARER)
