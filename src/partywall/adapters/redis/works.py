"""What takes more than one command: written as steps, for code that blocks and that awaits."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from redis.exceptions import LockError, LockNotOwnedError, NoPermissionError

from partywall.adapters.caching.counts import Tally
from partywall.adapters.caching.flight import FIRST_GENERATION, Seen, packed, unpacked
from partywall.adapters.caching.sharing import Wait, journey
from partywall.adapters.redis.calls import Batch, Call, require_clear
from partywall.adapters.redis.commands import Commands, milliseconds, nothing
from partywall.adapters.redis.keyspace import Keyspace
from partywall.adapters.redis.raw import raw
from partywall.adapters.redis.scripts import Script, as_it_is, running
from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.adapters.caching.counts import Counts
    from partywall.adapters.caching.flight import Terms
    from partywall.adapters.caching.sharing import Steps
    from partywall.adapters.caching.values import Value
    from partywall.adapters.redis.keyspace import Sealing
    from partywall.context import TenantContext

Client = TypeVar("Client")

PAGE = 500
"""Keys that the server looks at, and that are freed or measured, in one go."""

POLL_S = 0.05


class Works(Commands, Generic[Client]):
    """What can be asked of one tenant's part of a Redis besides single commands.

    Its arguments are those of `TenantCache`.
    """

    def __init__(
        self,
        redis: Client,
        context: TenantContext,
        *,
        namespace: str = "pw",
        sealing: Sealing | None = None,
        counts: Counts | None = None,
    ) -> None:
        require_bytes(redis)
        self.redis: Any = redis  # which has types for some of what is called
        self.space = Keyspace(context, namespace, sealing)
        self.counts = counts

    @journey
    def keys(self, match: str = "*") -> Steps[list[str]]:
        """The names that match a pattern of Redis's, sorted; the server looks at all tenants' keys.

        Raises:
            ConfigurationError: when the login may not SCAN.
        """
        names: set[str] = set()
        cursor: object = 0
        while cursor is not None:
            cursor, found = yield from self._page(self.space.pattern(match), cursor)
            names.update(map(self.space.name, found))
        return sorted(names)

    @journey
    def flush(self) -> Steps[int]:
        """Remove all that is this tenant's, in batches, freed beside the server's work; how many.

        What others write meanwhile may stay.

        Raises:
            ConfigurationError: when the login may not SCAN.
        """
        removed = 0
        cursor: object = 0
        while cursor is not None:
            cursor, found = yield from self._page(self.space.everything, cursor)
            if found:
                removed += yield Call(("UNLINK", *found), int)
        return removed

    @journey
    def memory_bytes(self) -> Steps[int]:
        """What the server needs for all that is this tenant's, as it estimates it.

        Raises:
            ConfigurationError: when the login may not SCAN.
        """
        sizes: dict[bytes, int] = {}
        cursor: object = 0
        while cursor is not None:
            cursor, found = yield from self._page(self.space.everything, cursor)
            if found:
                asked = [Call(("MEMORY USAGE", key, "SAMPLES", 0), counted) for key in found]
                sizes.update(zip(found, (yield Batch(asked)), strict=True))
        return sum(sizes.values())

    @journey
    def execute(self, command: str, *arguments: Any) -> Steps[Any]:
        """Send a command that there is no method for, its keys written as `cache.key("…")`.

        The answer is the server's: keys in it have their prefix.

        Raises:
            WallError: when it is not on the list of `partywall.adapters.redis.allowed`, or a key
                is not the tenant's. Nothing was sent.
            ConfigurationError: on a cache that seals its values.
        """
        require_clear(self.space.sealing, "execute")
        return (
            yield from raw(
                self.space, getattr(self.redis, "connection_pool", self.redis), command, arguments
            )
        )

    @journey
    def run(
        self, script: Script, keys: Sequence[str] = (), arguments: Sequence[Value] = ()
    ) -> Steps[Any]:
        """Run a script of the application's; what it returns.

        Raises:
            WallError: for what is no `Script`.
            ConfigurationError: on a cache that seals its values.
            redis.exceptions.ResponseError: when the script fails, or leaves its KEYS.
        """
        require_clear(self.space.sealing, "run")
        return (yield from running(self.space, script, keys, arguments))

    @journey
    def invalidate(self, key: str) -> Steps[None]:
        """Remove an answer, and don't keep what is being computed for it now."""
        _ = yield Call(("UNLINK", self.space.own("computing", key), self.space.key(key)), int)

    @journey
    def invalidate_group(self, group: str, keep_s: float) -> Steps[None]:
        """Make all answers of a group out of date, those being computed now too.

        Args:
            group: as in `Terms`.
            keep_s: how long any of its answers may still be there.
        """
        generation = secrets.token_bytes(len(FIRST_GENERATION))
        key = self.space.own("generation", group)
        _ = yield Call(("SET", key, generation, "PX", milliseconds(keep_s)), nothing)

    @journey
    def save_counts(self) -> Steps[Tally]:
        """Add this process's hits and misses to those that the server has of the tenant; these.

        Raises:
            ConfigurationError: without `counts=`.
        """
        if self.counts is None:
            raise ConfigurationError("nothing is counted: TenantCache(…, counts=Counts())")
        mine, key = self.counts.take(self.space.tenant_id), self.space.own("counts")
        adding = [Call(("HINCRBY", key, name, by), int) for name, by in mine._asdict().items()]
        try:
            return Tally(*(yield Batch(adding)))
        except BaseException:
            self.counts.give_back(self.space.tenant_id, mine)
            raise

    def _page(self, pattern: bytes, cursor: object) -> Steps[tuple[object, list[bytes]]]:
        try:
            asked = ("SCAN", cursor, "MATCH", pattern, "COUNT", PAGE)
            cursor, found = yield Call(asked, page, keyless=True)
        except NoPermissionError as error:
            raise ConfigurationError(
                "this login may not SCAN, which no key pattern holds: list, flush and measure a "
                "tenant with the application's own login"
            ) from error
        return cursor, found

    def _desk(self, key: str, terms: Terms) -> RedisDesk:
        return RedisDesk(self.space, key, terms)

    def _options(self, call: Call[Any]) -> dict[str, Any]:
        if not call.keyless or not hasattr(self.redis, "get_node_from_key"):
            return {}
        return {"target_nodes": self.redis.get_node_from_key(self.space.key(""))}

    def _take_lock(self, key: bytes, token: bytes, ttl_s: float, wait_s: float) -> Steps[None]:
        end = time.monotonic() + wait_s
        while not (yield taking(key, token, ttl_s)):
            if time.monotonic() >= end:
                raise LockError("the lock is held by somebody else")
            yield Wait(min(POLL_S, max(0.0, end - time.monotonic())))

    def _end_lock(self, key: bytes, token: bytes, *, strictly: bool) -> Steps[None]:
        if (yield Batch([Call(("DEL", key), int)], key, token)) is None and strictly:
            raise LockNotOwnedError("the lock ended before its block did: give it a longer ttl_s")


def require_bytes(redis: Any) -> None:
    """Let no client pass that makes text of values: what is sealed, or packed, is none.

    Raises:
        ConfigurationError: for one made with `decode_responses=True`.
    """
    if redis.get_encoder().decode_responses:
        raise ConfigurationError(
            "a tenant's cache keeps bytes: make its client without decode_responses=True"
        )


def page(answer: Any) -> tuple[object, list[bytes]]:
    """The next cursor, None after the last page, and the keys."""
    cursor, found = answer
    if isinstance(cursor, dict):  # of each server of a cluster that was asked: one
        [cursor] = cursor.values()
    return (int(cursor) or None), found


def counted(size: int | None) -> int:
    """Bytes; none of what has ended meanwhile."""
    return size or 0


def taking(key: bytes, token: bytes, ttl_s: float) -> Call[bool]:
    """Take a lock, where nobody has it."""
    return Call(("SET", key, token, "NX", "PX", milliseconds(ttl_s)), bool)


class RedisDesk:
    """Where one answer is kept: `partywall.adapters.caching.flight.Desk`."""

    def __init__(self, space: Keyspace, key: str, terms: Terms) -> None:
        self._space, self._name, self._terms = space, key, terms
        self._key, self._lock = space.key(key), space.own("computing", key)

    def read(self) -> Batch:
        """Value, time left and generation, in one round trip."""
        group = self._terms.group
        asked = [Call(("GET", self._key), as_it_is), Call(("PTTL", self._key), int)]
        if group:
            asked.append(Call(("GET", self._space.own("generation", group)), as_it_is))
        return Batch(asked, read=self._seen)

    def _seen(self, answers: list[Any]) -> Seen:
        kept, left_ms, *rest = answers
        generation: bytes = (rest[0] if rest else None) or FIRST_GENERATION
        if kept is None:
            return Seen(None, fresh=False, generation=generation)
        opened = self._space.opened(f"k:{self._name}", kept)
        value = unpacked(self._terms.group, generation, opened)
        fresh = left_ms == -1 or left_ms > self._terms.stale_s * 1000
        return Seen(value, fresh, generation)

    def take(self, token: bytes) -> Call[bool]:
        """One lock an answer."""
        return taking(self._lock, token, self._terms.lock_s)

    def keep(self, token: bytes, generation: bytes, value: bytes) -> Batch:
        """Both at once, or neither."""
        kept = packed(self._terms.group, generation, value)
        sealed = self._space.sealed(f"k:{self._name}", kept)
        ends_ms = milliseconds(self._terms.ttl_s + self._terms.stale_s)
        setting = Call(("SET", self._key, sealed, "PX", ends_ms), nothing)
        return Batch([setting, Call(("DEL", self._lock), int)], self._lock, token)

    def release(self, token: bytes) -> Batch:
        """By who holds it alone."""
        return Batch([Call(("DEL", self._lock), int)], self._lock, token)
