"""How often each tenant found what it asked for."""

from __future__ import annotations

from collections import defaultdict
from threading import Lock
from typing import NamedTuple


class Tally(NamedTuple):
    """How many answers were there, and how many were not."""

    hits: int = 0
    misses: int = 0


class Counts:
    """Hits and misses of each tenant in this process; one object for all caches of a process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tallies: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])

    def count(self, tenant_id: str, *, hit: bool) -> None:
        """Count one."""
        with self._lock:
            self._tallies[tenant_id][not hit] += 1

    def of(self, tenant_id: str) -> Tally:
        """Those of a tenant, since the start or the last `take`."""
        with self._lock:
            return Tally(*self._tallies.get(tenant_id, ()))

    def take(self, tenant_id: str) -> Tally:
        """As `of`, and begin anew."""
        with self._lock:
            return Tally(*self._tallies.pop(tenant_id, ()))

    def give_back(self, tenant_id: str, tally: Tally) -> None:
        """Undo a `take`."""
        with self._lock:
            for place, number in enumerate(tally):
                self._tallies[tenant_id][place] += number
