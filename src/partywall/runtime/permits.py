"""Who may have a connection open: one limit over all places, and a queue for the rest.

The accounting alone, without a connection being opened or closed: a lock is held for the length of
a few dictionary operations, never while somebody waits. Whoever is told to close an entry closes
it before opening its own, so that the limit holds at every moment.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.pool import ConnectionPoolEntry


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to one connection.

    Attributes:
        entry: an idle connection of the place; None: open one.
        evicted: what to close first, the least recently used idle connection of another place.
        evicted_from: that place.
    """

    entry: ConnectionPoolEntry | None = None
    evicted: ConnectionPoolEntry | None = None
    evicted_from: str = ""


class Turn:
    """Somebody's turn in the queue; `call` is called, once, when `permit` is there."""

    __slots__ = ("call", "permit", "place")

    def __init__(self, place: str, call: Callable[[], object]) -> None:
        self.place = place
        self.call = call
        self.permit: Permit | None = None


class Permits:
    """At most *limit* connections over all places, and *limit_per_place* of them for each.

    Between two calls nobody in the queue could be granted a permit; so whoever can be granted one
    at once overtakes nobody.
    """

    def __init__(self, limit: int, limit_per_place: int) -> None:
        self.limit = limit
        self.limit_per_place = limit_per_place
        self._lock = threading.Lock()
        self._given_back: deque[tuple[str, ConnectionPoolEntry | None]] = deque()
        self._queue: dict[Turn, None] = {}
        self._open: dict[str, int] = {}  # by place, those idle, in use, and being opened
        self._opened = 0  # their sum
        self._idle: dict[str, list[ConnectionPoolEntry]] = {}
        self._by_age: OrderedDict[ConnectionPoolEntry, str] = OrderedDict()  # idle, oldest first

    def take(self, place: str) -> Permit | None:
        """A permit, if one can be had without waiting."""
        with self._lock:
            self._absorb()
            permit = self._granted(place)
        self._settle()
        return permit

    def queue(self, turn: Turn) -> None:
        """Stand in line; the turn may have been called when this returns."""
        with self._lock:
            self._queue[turn] = None
            self._serve()
        self._settle()

    def leave(self, turn: Turn) -> Permit | None:
        """Leave the queue, with the permit that was granted meanwhile."""
        with self._lock:
            self._queue.pop(turn, None)
        return turn.permit

    def give_back(self, place: str, entry: ConnectionPoolEntry | None) -> None:
        """Take back what *place* no longer uses: a connection to keep, or None, a bare permit.

        The garbage collector may call this at any point of the program, also while its own thread
        holds the lock: so it is noted first, and whoever holds the lock sees to it.
        """
        self._given_back.append((place, entry))
        self._settle()

    def undo(self, place: str, permit: Permit) -> None:
        """Take back a permit that was not used, with nothing opened or closed."""
        if permit.evicted is not None:
            with self._lock:
                self._count(permit.evicted_from, 1)
            self.give_back(permit.evicted_from, permit.evicted)
        self.give_back(place, permit.entry)

    def empty(self, place: str | None = None) -> list[tuple[str, ConnectionPoolEntry]]:
        """Take out the idle connections, of one place or of all; each keeps its permit."""
        with self._lock:
            self._absorb()
            found = [(of, each) for each, of in self._by_age.items() if place in (None, of)]
            for of, entry in found:
                self._take_out(of, entry)
        self._settle()
        return found

    def counted(self) -> tuple[int, int]:
        """How many are open, and how many of them idle."""
        with self._lock:
            self._absorb()
            counts = self._opened, len(self._by_age)
        self._settle()
        return counts

    def _settle(self) -> None:
        """See to what was given back, unless somebody is at it, who then does the same."""
        while self._given_back and self._lock.acquire(blocking=False):
            try:
                self._absorb()
            finally:
                self._lock.release()

    def _absorb(self) -> None:
        if not self._given_back:
            return
        while self._given_back:
            place, entry = self._given_back.popleft()
            if entry is None or entry.dbapi_connection is None:  # closed or invalidated
                self._count(place, -1)
            else:
                self._idle.setdefault(place, []).append(entry)
                self._by_age[entry] = place
        self._serve()

    def _serve(self) -> None:
        """Grant what can be granted, first come first served."""
        for turn in list(self._queue):
            if self._opened >= self.limit and not self._by_age:
                return
            turn.permit = self._granted(turn.place)
            if turn.permit is not None:
                del self._queue[turn]
                turn.call()

    def _granted(self, place: str) -> Permit | None:
        if idle := self._idle.get(place):
            entry = idle[-1]  # the one used last: the others may grow old, and be evicted
            self._take_out(place, entry)
            return Permit(entry)
        if self._open.get(place, 0) >= self.limit_per_place:
            return None
        if self._opened < self.limit:
            self._count(place, 1)
            return Permit()
        if not self._by_age:
            return None
        oldest, other = next(iter(self._by_age.items()))
        self._take_out(other, oldest)
        self._count(other, -1)
        self._count(place, 1)
        return Permit(evicted=oldest, evicted_from=other)

    def _take_out(self, place: str, entry: ConnectionPoolEntry) -> None:
        del self._by_age[entry]
        self._idle[place].remove(entry)
        if not self._idle[place]:
            del self._idle[place]

    def _count(self, place: str, change: int) -> None:
        self._opened += change
        self._open[place] = self._open.get(place, 0) + change
        if not self._open[place]:
            del self._open[place]
