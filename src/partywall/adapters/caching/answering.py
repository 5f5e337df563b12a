"""What every cache is asked: a value, and where there is none, one caller to compute it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from partywall.adapters.caching.flight import Terms, flight
from partywall.adapters.caching.sharing import Awaiting, Blocking
from partywall.adapters.caching.values import encoded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from partywall.adapters.caching.flight import Desk
    from partywall.adapters.caching.values import Value


class Answering(ABC):
    """What the caches of code that blocks and of code that awaits are asked for."""

    @abstractmethod
    def _desk(self, key: str, terms: Terms) -> Desk:
        """Where the answer of this name is kept."""

    @abstractmethod
    def _count(self, *, hit: bool) -> None:
        """Count whether something was there."""


class BlockingAnswers(Answering, Blocking):
    """Answers to code that blocks."""

    def get_or_compute(
        self,
        key: str,
        compute: Callable[[], Value],
        *,
        ttl_s: float,
        stale_s: float = 0.0,
        lock_s: float = 10.0,
        group: str = "",
    ) -> bytes:
        """The value; where there is none, one caller computes it and the others wait for it.

        Args:
            key: its name.
            compute: gives the value.
            ttl_s: for how long it is fresh.
            stale_s: for how long after that it is still given while one caller computes the next.
            lock_s: when another may compute because the first must have died: more than computing
                takes. Nobody waits for longer than twice that.
            group: what `invalidate_group` takes; values with a group are read by this method only.
        """
        desk = self._desk(key, Terms(ttl_s, stale_s, lock_s, group).checked())
        value, hit = self.drive(flight(desk, lock_s), lambda: encoded(compute()))
        self._count(hit=hit)
        return value


class AwaitedAnswers(Answering, Awaiting):
    """Answers to code in an event loop."""

    async def get_or_compute(
        self,
        key: str,
        compute: Callable[[], Awaitable[Value]],
        *,
        ttl_s: float,
        stale_s: float = 0.0,
        lock_s: float = 10.0,
        group: str = "",
    ) -> bytes:
        """As `BlockingAnswers.get_or_compute`; *compute* is awaited."""

        async def computed() -> bytes:
            return encoded(await compute())

        desk = self._desk(key, Terms(ttl_s, stale_s, lock_s, group).checked())
        value, hit = await self.drive(flight(desk, lock_s), computed)
        self._count(hit=hit)
        return value
