"""What was read from the directory, kept until it is announced that it has changed.

A value hangs on keys, the same that `partywall.control.database.announce` takes, and goes with the
first of them that is announced. The race is between a reader and a change: a value that was read
before the change and comes to be kept after its announcement would stay for good. So a `Reading`
stands on a list from before its first query, an announcement is noted on all that do, and none
keeps what hangs on a key that is noted on it.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator


class Hearing(Protocol):
    """Is told what has changed: a `Memory`, or what else keeps copies."""

    def announced(self, *changed: str) -> None:
        """Forget what hangs on these keys."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """A value, the keys it hangs on, and the moment (of `time.monotonic`) at which it ends."""

    value: object
    keys: frozenset[str]
    until: float


@dataclass(slots=True)
class Reading:
    """One reader's queries, and the keys that were dropped since before the first of them."""

    dropped: set[str] = field(default_factory=set)
    void: bool = False

    def stale(self, keys: frozenset[str]) -> bool:
        """Whether something that hangs on *keys* may be older than what was dropped."""
        return self.void or not keys.isdisjoint(self.dropped)


class Memory:
    """Values by question, bounded; the oldest goes first. Any thread may ask and change it.

    Values that say that there is nothing (None) have a shelf of their own, so that whoever asks
    for names that nobody has pushes out no answer about a tenant.

    Args:
        size: how many values are kept.
        unknown: how many of those that are None.
        unknown_s: for how long these.
    """

    def __init__(self, *, size: int, unknown: int, unknown_s: float) -> None:
        self._sizes = {True: size, False: unknown}
        self._unknown_s = unknown_s
        self.after_fork()

    def after_fork(self) -> None:
        """Begin empty, with a lock that no thread of a parent process may hold."""
        self._lock = threading.Lock()
        self._followers: tuple[Callable[[frozenset[str]], None], ...] = ()
        self._kept: dict[Hashable, Kept] = {}
        self._unknown: dict[Hashable, Kept] = {}
        self._hanging: dict[str, set[Hashable]] = {}
        self._readings: dict[int, Reading] = {}

    def get(self, question: Hashable) -> Kept | None:
        """What is kept of *question*; takes no lock."""
        found = self._kept.get(question)
        if found is None:
            found = self._unknown.get(question)
            if found is not None and found.until < time.monotonic():
                return None
        return found

    def __len__(self) -> int:
        """How many values are kept, None among them."""
        return len(self._kept) + len(self._unknown)

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """A block with a reader's queries in it; begin it before the transaction."""
        reading = Reading()
        with self._lock:
            self._readings[id(reading)] = reading
        try:
            yield reading
        finally:
            with self._lock:
                self._readings.pop(id(reading), None)  # a fork has emptied it

    def keep(
        self, reading: Reading, question: Hashable, value: object, keys: frozenset[str]
    ) -> None:
        """Keep what *reading* has found, unless what it hangs on was dropped meanwhile."""
        known = bool(value)  # neither None nor no tenants at all
        shelf = self._kept if known else self._unknown
        with self._lock:
            if reading.stale(keys):
                return
            self._forget(question)
            while len(shelf) >= self._sizes[known]:
                self._forget(next(iter(shelf)))
            until = float("inf") if known else time.monotonic() + self._unknown_s
            shelf[question] = Kept(value, keys, until)
            for key in keys:
                self._hanging.setdefault(key, set()).add(question)

    def announced(self, *changed: str) -> None:
        """Forget all that hangs on one of *changed*, and what is being read of it.

        What hangs on `tenant:` alone is forgotten with every tenant.
        """
        keys = {*changed, *(kind + ":" for kind, _, _ in (key.partition(":") for key in changed))}
        with self._lock:
            for reading in self._readings.values():
                reading.dropped.update(keys)
            for key in keys:
                for question in tuple(self._hanging.get(key, ())):
                    self._forget(question)
        self._tell(frozenset(changed))

    def clear(self) -> None:
        """Forget everything, and what is being read."""
        with self._lock:
            for reading in self._readings.values():
                reading.void = True
            for shelf in (self._kept, self._unknown, self._hanging):
                shelf.clear()
        self._tell(frozenset())

    def follow(self, told: Callable[[frozenset[str]], None]) -> Callable[[], None]:
        """Call *told* with the keys that were just forgotten; with none, when all were.

        It is called in whichever thread brings the news, and has to return at once.

        Returns:
            What ends it.
        """
        with self._lock:
            self._followers = (*self._followers, told)

        def stop() -> None:
            with self._lock:
                self._followers = tuple(each for each in self._followers if each is not told)

        return stop

    def _tell(self, changed: frozenset[str]) -> None:
        for told in self._followers:
            told(changed)

    def _forget(self, question: Hashable) -> None:
        found = self._kept.pop(question, None) or self._unknown.pop(question, None)
        if found is None:
            return
        for key in found.keys:
            hanging = self._hanging[key]
            hanging.discard(question)
            if not hanging:
                del self._hanging[key]
