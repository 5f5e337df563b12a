"""The rings that are kept in this process: so many, for so long, and not once they are shredded."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from partywall.control.data_keys import ANNOUNCED

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.encryption.ring import Ring

DOORS = 64
"""How many tenants are loaded at once; those of one door wait for each other."""


class Rings:
    """Rings by tenant, bounded in number and time; any thread may ask.

    What was read before keys were destroyed must not come to be kept after that was announced: a
    ring is kept only when nothing was announced since before it was read.

    Args:
        size: how many are kept; the oldest goes first.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: dict[str, Ring] = {}
        self._changes = 0
        self.after_fork()

    def after_fork(self) -> None:
        """In a forked child: a thread of the parent may hold the locks."""
        self._lock = threading.Lock()
        self._doors = [threading.Lock() for _ in range(DOORS)]

    def get(self, tenant_id: str) -> Ring | None:
        """The ring, if it is kept and its time has not ended; takes no lock."""
        found = self._kept.get(tenant_id)
        return found if found is not None and time.monotonic() < found.until else None

    def load(
        self, tenant_id: str, read: Callable[[Ring | None], Ring], *, than: Ring | None = None
    ) -> Ring:
        """The ring that *read* makes, of which one is made for all who wait for it.

        Args:
            tenant_id: whose.
            read: makes it, with the one that is kept, whose keys need no unwrapping again.
            than: one that won't do: another is made unless somebody has meanwhile.
        """
        with self._doors[hash(tenant_id) % DOORS]:
            found = self.get(tenant_id)
            if found is not None and found is not than:
                return found
            changes = self._changes
            made = read(found)
            with self._lock:
                self._sweep()
                if changes == self._changes:
                    self._kept.pop(tenant_id, None)
                    while len(self._kept) >= self._size:
                        del self._kept[next(iter(self._kept))]
                    self._kept[tenant_id] = made
            return made

    def __len__(self) -> int:
        """How many are kept, without those whose time has ended."""
        with self._lock:
            self._sweep()
            return len(self._kept)

    def announced(self, *changed: str) -> None:
        """Forget the rings whose keys have changed: `data_keys:<tenant's id>`."""
        tenants = [key.removeprefix(ANNOUNCED) for key in changed if key.startswith(ANNOUNCED)]
        if not tenants:
            return
        with self._lock:
            self._changes += 1
            self._sweep()
            for tenant_id in tenants:
                self._kept.pop(tenant_id, None)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._changes += 1
            self._kept.clear()

    def _sweep(self) -> None:
        moment = time.monotonic()
        while self._kept:  # in the order in which they were loaded, so that their time ends in it
            tenant_id = next(iter(self._kept))
            if self._kept[tenant_id].until > moment:
                break
            del self._kept[tenant_id]
