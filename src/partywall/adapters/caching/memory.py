"""A tenant's cache in the memory of the process, with the methods of `TenantCache`."""

from __future__ import annotations

import asyncio
import fnmatch
import math
import secrets
import time
from typing import TYPE_CHECKING, Any

from partywall.adapters.caching.answering import AwaitedAnswers, BlockingAnswers
from partywall.adapters.caching.flight import (
    FIRST_GENERATION,
    Seen,
    packed,
    unpacked,
)
from partywall.adapters.caching.sharing import Compute, Wait, immediate
from partywall.adapters.caching.shelf import Entry, Shelf, Slot
from partywall.adapters.caching.values import WITHOUT, encoded, lasting
from partywall.context import required

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from partywall.adapters.caching.counts import Counts
    from partywall.adapters.caching.flight import Terms
    from partywall.adapters.caching.values import Value
    from partywall.context import TenantContext

MAX_BYTES = 64 * 2**20
SHARES = 8
"""The largest part of the store that one tenant may fill, unless told otherwise."""


class MemoryStore:
    """Caches of all tenants in this process; one object, used by any thread and any event loop.

    Calling it with a context gives that tenant's cache, so that it is a store for `cached`.

    Args:
        max_bytes: what all values take at most, about; the least recently used go first.
        tenant_bytes: what those of one tenant take at most; an eighth of all by default.
        counts: where hits and misses are counted.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        *,
        max_bytes: int = MAX_BYTES,
        tenant_bytes: int | None = None,
        counts: Counts | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shelf = Shelf(max_bytes, tenant_bytes or max_bytes // SHARES, clock)
        self._counts = counts

    def __call__(self, context: TenantContext) -> MemoryCache:
        """The cache of a tenant.

        Raises:
            MissingTenant: without a context.
        """
        return MemoryCache(self._shelf, required(context, WITHOUT).tenant_id, self._counts)

    def asynchronous(self, context: TenantContext) -> AsyncMemoryCache:
        """As calling it, for async code; both see the same values."""
        return AsyncMemoryCache(self._shelf, required(context, WITHOUT).tenant_id, self._counts)


class MemoryWorks:
    """What can be asked of one tenant's part of a `MemoryStore`; see `TenantCache`'s methods."""

    def __init__(self, shelf: Shelf, tenant_id: str, counts: Counts | None) -> None:
        self._shelf, self._tenant_id, self._counts = shelf, tenant_id, counts

    @immediate
    def get(self, key: str) -> bytes | None:
        """The value, or None; it counts as a hit or a miss."""
        return self._got(key)

    @immediate
    def set(
        self,
        key: str,
        value: Value,
        *,
        ttl_s: float | None = None,
        nx: bool = False,
        xx: bool = False,
    ) -> bool:
        """Keep a value; False where nx or xx forbade it."""
        slot = self._slot(key)
        entry = Entry(encoded(value), math.inf if ttl_s is None else self._after(ttl_s))
        with self._shelf.lock:
            there = (nx or xx) and self._shelf.read(slot) is not None
            if (nx and there) or (xx and not there):
                return False
            self._shelf.write(slot, entry)
            return True

    @immediate
    def mget(self, key: str, *keys: str) -> dict[str, bytes]:
        """The values that there are; each name counts as a hit or a miss."""
        with self._shelf.lock:
            found = {each: self._got(each) for each in (key, *keys)}
        return {name: value for name, value in found.items() if value is not None}

    @immediate
    def mset(self, values: Mapping[str, Value]) -> None:
        """Keep values, all at once, without an end."""
        entries = {self._slot(key): Entry(encoded(value)) for key, value in values.items()}
        with self._shelf.lock:
            for slot, entry in entries.items():
                self._shelf.write(slot, entry)

    @immediate
    def incr(self, key: str, by: int = 1) -> int:
        """Count up, from 0 where there is nothing; the new number."""
        slot = self._slot(key)
        with self._shelf.lock:
            old = self._shelf.read(slot) or Entry(b"0")
            new = int(old.value) + by
            self._shelf.write(slot, Entry(encoded(new), old.ends))
            return new

    @immediate
    def delete(self, key: str, *keys: str) -> int:
        """Remove; how many there were."""
        with self._shelf.lock:
            return sum(self._shelf.remove(self._slot(each)) for each in (key, *keys))

    @immediate
    def exists(self, key: str) -> bool:
        """Whether there is something of that name."""
        return self._shelf.read(self._slot(key)) is not None

    @immediate
    def expire(self, key: str, ttl_s: float) -> bool:
        """Let it end after so many seconds; False where there is nothing."""
        slot, ends = self._slot(key), self._after(ttl_s)
        with self._shelf.lock:
            entry = self._shelf.read(slot)
            if entry is not None:
                self._shelf.write(slot, Entry(entry.value, ends))
            return entry is not None

    @immediate
    def ttl(self, key: str) -> float | None:
        """How many seconds it has left: `math.inf` for no end, None where there is nothing."""
        entry = self._shelf.read(self._slot(key))
        return None if entry is None else entry.ends - self._shelf.clock()

    @immediate
    def keys(self, match: str = "*") -> list[str]:
        """The names that match a pattern of `*`, `?` and `[…]`, sorted."""
        return self._names(match)

    @immediate
    def flush(self) -> int:
        """Remove all that is this tenant's; how many there were."""
        with self._shelf.lock:
            return sum(self._shelf.remove(slot) for slot in self._shelf.of(self._tenant_id))

    @immediate
    def memory_bytes(self) -> int:
        """What all that is this tenant's takes, about."""
        return self._shelf.size(self._tenant_id)

    @immediate
    def invalidate(self, key: str) -> None:
        """Remove an answer, and don't keep what is being computed for it now."""
        with self._shelf.lock:
            self._shelf.remove(self._slot(key, "computing"))
            self._shelf.remove(self._slot(key))

    @immediate
    def invalidate_group(self, group: str, keep_s: float) -> None:
        """Make all answers of a group out of date, those being computed now too."""
        generation = secrets.token_bytes(len(FIRST_GENERATION))
        entry = Entry(generation, self._after(keep_s))
        self._shelf.write(self._slot(group, "generation"), entry)

    def _slot(self, key: str, kind: str = "value") -> Slot:
        return Slot(self._tenant_id, kind, key)

    def _after(self, ttl_s: float) -> float:
        return self._shelf.clock() + lasting(ttl_s)

    def _got(self, key: str) -> bytes | None:
        entry = self._shelf.read(self._slot(key))
        self._count(hit=entry is not None)
        return None if entry is None else entry.value

    def _names(self, match: str) -> list[str]:
        names = [slot.name for slot in self._shelf.of(self._tenant_id) if slot.kind == "value"]
        return sorted(name for name in names if fnmatch.fnmatchcase(name, match))

    def _desk(self, key: str, terms: Terms) -> MemoryDesk:
        return MemoryDesk(self._shelf, self._slot(key), terms)

    def _count(self, *, hit: bool) -> None:
        if self._counts is not None:
            self._counts.count(self._tenant_id, hit=hit)

    def __repr__(self) -> str:
        """Tell the tenant."""
        return f"<{type(self).__name__} of {self._tenant_id}>"


class MemoryCache(MemoryWorks, BlockingAnswers):
    """One tenant's part of a `MemoryStore`, for code that blocks."""

    def scan(self, match: str = "*") -> Iterator[str]:
        """The names that match a pattern of `*`, `?` and `[…]`."""
        yield from self._names(match)

    def _take(self, step: object, compute: Callable[[], Any] | None) -> Any:
        match step:
            case Wait(seconds):
                time.sleep(seconds)
                return None
            case Compute() if compute is not None:
                return compute()
            case _:
                return step


class AsyncMemoryCache(MemoryWorks, AwaitedAnswers):
    """As `MemoryCache`, for code in an event loop."""

    async def scan(self, match: str = "*") -> AsyncIterator[str]:
        """As `MemoryCache.scan`."""
        for name in self._names(match):
            yield name

    async def _take(self, step: object, compute: Callable[[], Any] | None) -> Any:
        match step:
            case Wait(seconds):
                return await asyncio.sleep(seconds)
            case Compute() if compute is not None:
                return await compute()
            case _:
                return step


class MemoryDesk:
    """Where one answer is kept: `partywall.adapters.caching.flight.Desk`, done when it is asked."""

    def __init__(self, shelf: Shelf, slot: Slot, terms: Terms) -> None:
        self._shelf, self._slot, self._terms = shelf, slot, terms
        self._lock = slot._replace(kind="computing")
        self._group = slot._replace(kind="generation", name=terms.group)

    def read(self) -> Seen:
        """Value, time left and generation."""
        with self._shelf.lock:
            entry = self._shelf.read(self._slot)
            # After the value, so that the group's generation is never dropped before its values.
            group = self._shelf.read(self._group) if self._terms.group else None
            generation = group.value if group is not None else FIRST_GENERATION
            if entry is None:
                return Seen(None, fresh=False, generation=generation)
            fresh = entry.ends - self._shelf.clock() > self._terms.stale_s
            value = unpacked(self._terms.group, generation, entry.value)
            return Seen(value, fresh, generation)

    def take(self, token: bytes) -> bool:
        """One lock an answer."""
        with self._shelf.lock:
            if self._shelf.read(self._lock) is not None:
                return False
            ends = self._shelf.clock() + self._terms.lock_s
            self._shelf.write(self._lock, Entry(token, ends))
            return True

    def keep(self, token: bytes, generation: bytes, value: bytes) -> None:
        """Both at once, or neither."""
        with self._shelf.lock:
            if self._held(token):
                self._shelf.remove(self._lock)
                ends = self._shelf.clock() + self._terms.ttl_s + self._terms.stale_s
                kept = packed(self._terms.group, generation, value)
                self._shelf.write(self._slot, Entry(kept, ends))

    def release(self, token: bytes) -> None:
        """By who holds it alone."""
        with self._shelf.lock:
            if self._held(token):
                self._shelf.remove(self._lock)

    def _held(self, token: bytes) -> bool:
        lock = self._shelf.read(self._lock)
        return lock is not None and lock.value == token
