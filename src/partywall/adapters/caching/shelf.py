"""Values in the memory of a process: the least recently used go first, and the greediest tenant's.

What a tenant keeps has a limit below that of all, so that no one tenant can push out the others.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from threading import RLock
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

OVERHEAD_BYTES = 256
"""What an entry takes besides its name and its value, about."""


class Slot(NamedTuple):
    """Where a value is: the tenant, what for, and its name."""

    tenant_id: str
    kind: str
    name: str


class Entry(NamedTuple):
    """A value, and when it ends by the shelf's clock."""

    value: bytes
    ends: float = math.inf


class Shelf:
    """Values of all tenants. Hold `lock` over what belongs together.

    Args:
        max_bytes: of all tenants.
        tenant_bytes: of one.
        clock: seconds that only go forward.
    """

    def __init__(self, max_bytes: int, tenant_bytes: int, clock: Callable[[], float]) -> None:
        self.lock = RLock()
        self.clock = clock
        self._max_bytes, self._tenant_bytes = max_bytes, tenant_bytes
        self._entries: OrderedDict[Slot, Entry] = OrderedDict()
        self._own: dict[str, OrderedDict[Slot, None]] = {}
        self._sizes: dict[str, int] = {}
        self._size = 0

    def read(self, slot: Slot) -> Entry | None:
        """What is there; it is now the most recently used."""
        with self.lock:
            entry = self._entries.get(slot)
            if entry is None:
                return None
            if entry.ends <= self.clock():
                self.remove(slot)
                return None
            self._entries.move_to_end(slot)
            self._own[slot.tenant_id].move_to_end(slot)
            return entry

    def write(self, slot: Slot, entry: Entry) -> None:
        """Keep a value, and drop others until all fits; one that is too large isn't kept."""
        with self.lock:
            self.remove(slot)
            size, tenant_id = weight(slot, entry), slot.tenant_id
            if size > min(self._tenant_bytes, self._max_bytes):
                return
            while self._sizes.get(tenant_id, 0) + size > self._tenant_bytes:
                self.remove(next(iter(self._own[tenant_id])))
            while self._size + size > self._max_bytes:
                self.remove(next(iter(self._entries)))
            self._entries[slot] = entry
            self._own.setdefault(tenant_id, OrderedDict())[slot] = None
            self._sizes[tenant_id] = self._sizes.get(tenant_id, 0) + size
            self._size += size

    def remove(self, slot: Slot) -> bool:
        """Whether there was something."""
        with self.lock:
            entry = self._entries.pop(slot, None)
            if entry is None:
                return False
            size, tenant_id = weight(slot, entry), slot.tenant_id
            self._size -= size
            self._sizes[tenant_id] -= size
            own = self._own[tenant_id]
            del own[slot]
            if not own:
                del self._own[tenant_id], self._sizes[tenant_id]
            return entry.ends > self.clock()

    def of(self, tenant_id: str) -> list[Slot]:
        """Where the tenant has something."""
        with self.lock:
            now = self.clock()
            slots = self._own.get(tenant_id, ())
            return [slot for slot in slots if self._entries[slot].ends > now]

    def size(self, tenant_id: str) -> int:
        """Bytes that the tenant's values take, about."""
        with self.lock:
            return self._sizes.get(tenant_id, 0)


def weight(slot: Slot, entry: Entry) -> int:
    """Bytes that an entry takes, about."""
    return OVERHEAD_BYTES + len(slot.name) + len(entry.value)
