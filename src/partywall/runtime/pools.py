"""SQLAlchemy's pools, which say how long was waited, and that it was too long in our words."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from sqlalchemy.exc import TimeoutError as PoolTimedOut
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool
from sqlalchemy.util import await_only

from partywall.errors import PoolTimeout

if TYPE_CHECKING:
    from sqlalchemy.pool import ConnectionPoolEntry

    from partywall.runtime.events import Observer


class Observed:
    """What the sync and the async pool share."""

    observer: Observer | None = None

    def _do_get(self) -> ConnectionPoolEntry:
        """Wait for a connection; the hook through which every pool of SQLAlchemy hands one out."""
        started = time.perf_counter()
        try:
            entry: ConnectionPoolEntry = super()._do_get()  # type: ignore[misc]  # a mixin
        except PoolTimedOut as error:
            self._tell(started, timed_out=True)
            raise PoolTimeout(
                "every connection was in use for as long as one may wait: raise connections= or "
                "timeout_s= of Tenancy, or look for sessions that stay open too long"
            ) from error
        self._tell(started, timed_out=False)
        return entry

    def _tell(self, started: float, *, timed_out: bool) -> None:
        if self.observer is not None:
            self.observer.waited(time.perf_counter() - started, timed_out=timed_out)


class ObservedPool(Observed, QueuePool):
    """For sync code."""


class AsyncObservedPool(Observed, AsyncAdaptedQueuePool):
    """For async code; first come, first served."""

    _coming = 0

    def _do_get(self) -> ConnectionPoolEntry:
        """As `Observed`; who waits is woken first.

        A connection that comes back wakes whoever waits longest, but only the loop's next turn
        runs that task: this one, still running, would take the connection from under it, again
        and again.
        """
        if self._coming:
            await_only(asyncio.sleep(0))
        self._coming += 1
        try:
            return super()._do_get()
        finally:
            self._coming -= 1
