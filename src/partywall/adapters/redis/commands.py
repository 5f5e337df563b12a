"""The commands of a tenant's cache, each once, for code that blocks, awaits and queues.

https://redis.io/docs/latest/commands/
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from partywall.adapters.caching.values import encoded, lasting
from partywall.adapters.redis.calls import Call, command, in_clear
from partywall.adapters.redis.keyspace import Key, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.adapters.caching.counts import Counts
    from partywall.adapters.caching.values import Value
    from partywall.adapters.redis.keyspace import Keyspace

Members: TypeAlias = set[bytes]
"""Written outside of the class, in which `set` is a command."""


def milliseconds(ttl_s: float) -> int:
    """How long something lasts, as the server takes it: a millisecond at least."""
    return max(1, round(lasting(ttl_s) * 1000))


class Commands:
    """What can be asked of one tenant's part of a Redis.

    Names (keys, fields) are text. Values go in as bytes, text or numbers and come back as bytes.
    """

    space: Keyspace
    counts: Counts | None

    def key(self, name: str) -> Key:
        """What the server calls *name*: for `execute`."""
        return Key(self.space.key(name))

    # Values

    @command
    def get(self, key: str) -> Call[bytes | None]:
        """The value, or None; it counts as a hit or a miss."""
        return Call(("GET", self.space.key(key)), partial(self._got, key))

    @command
    def set(
        self,
        key: str,
        value: Value,
        *,
        ttl_s: float | None = None,
        nx: bool = False,
        xx: bool = False,
    ) -> Call[bool]:
        """Keep a value; False where nx or xx forbade it.

        Args:
            key: its name.
            value: what is kept.
            ttl_s: for how many seconds; None for no end.
            nx: only where there is none.
            xx: only where there is one.
        """
        arguments: list[Any] = ["SET", self.space.key(key), self.space.sealed(f"k:{key}", value)]
        if ttl_s is not None:
            arguments += ["PX", milliseconds(ttl_s)]
        if nx:
            arguments.append("NX")
        if xx:
            arguments.append("XX")
        return Call(tuple(arguments), bool)

    @command
    def mget(self, key: str, *keys: str) -> Call[dict[str, bytes]]:
        """The values that there are; each name counts as a hit or a miss."""
        names = (key, *keys)
        return Call(("MGET", *map(self.space.key, names)), partial(self._got_all, names))

    @command
    def mset(self, values: Mapping[str, Value]) -> Call[None]:
        """Keep values, all at once, without an end."""
        pairs = [
            part
            for name, value in values.items()
            for part in (self.space.key(name), self.space.sealed(f"k:{name}", value))
        ]
        return Call(("MSET", *pairs), nothing)

    @in_clear
    def incr(self, key: str, by: int = 1) -> Call[int]:
        """Count up, from 0 where there is nothing; the new number."""
        return Call(("INCRBY", self.space.key(key), by), int)

    # Names

    @command
    def delete(self, key: str, *keys: str) -> Call[int]:
        """Remove; how many there were. The server frees their memory beside its work (UNLINK)."""
        return Call(("UNLINK", *map(self.space.key, (key, *keys))), int)

    @command
    def exists(self, key: str) -> Call[bool]:
        """Whether there is something of that name."""
        return Call(("EXISTS", self.space.key(key)), bool)

    @command
    def expire(self, key: str, ttl_s: float) -> Call[bool]:
        """Let it end after so many seconds; False where there is nothing."""
        return Call(("PEXPIRE", self.space.key(key), milliseconds(ttl_s)), bool)

    @command
    def ttl(self, key: str) -> Call[float | None]:
        """How many seconds it has left: `math.inf` for no end, None where there is nothing."""
        return Call(("PTTL", self.space.key(key)), seconds_left)

    # Hashes

    @command
    def hset(self, key: str, fields: Mapping[str, Value]) -> Call[int]:
        """Set fields; how many are new."""
        pairs = [
            part
            for field, value in fields.items()
            for part in (field, self.space.sealed(within("f", key, field), value))
        ]
        return Call(("HSET", self.space.key(key), *pairs), int)

    @command
    def hget(self, key: str, field: str) -> Call[bytes | None]:
        """The value of a field, or None."""
        read = partial(self._opened, within("f", key, field))
        return Call(("HGET", self.space.key(key), field), read)

    @command
    def hgetall(self, key: str) -> Call[dict[str, bytes]]:
        """All fields."""
        return Call(("HGETALL", self.space.key(key)), partial(self._fields, "f", key))

    @command
    def hdel(self, key: str, field: str, *fields: str) -> Call[int]:
        """Remove fields; how many there were."""
        return Call(("HDEL", self.space.key(key), field, *fields), int)

    # Lists

    @command
    def lpush(self, key: str, value: Value, *values: Value) -> Call[int]:
        """Put values before the first, one after the other; how many there are then."""
        return Call(("LPUSH", self.space.key(key), *self._elements(key, value, *values)), int)

    @command
    def rpush(self, key: str, value: Value, *values: Value) -> Call[int]:
        """Put values behind the last, one after the other; how many there are then."""
        return Call(("RPUSH", self.space.key(key), *self._elements(key, value, *values)), int)

    @command
    def lpop(self, key: str) -> Call[bytes | None]:
        """Take the first value, or None."""
        return Call(("LPOP", self.space.key(key)), partial(self._opened, f"l:{key}"))

    @command
    def rpop(self, key: str) -> Call[bytes | None]:
        """Take the last value, or None."""
        return Call(("RPOP", self.space.key(key)), partial(self._opened, f"l:{key}"))

    @command
    def lrange(self, key: str, start: int = 0, stop: int = -1) -> Call[list[bytes]]:
        """The values from *start* to *stop*, both included; -1 is the last."""
        return Call(("LRANGE", self.space.key(key), start, stop), partial(self._listed, key))

    @command
    def llen(self, key: str) -> Call[int]:
        """How many values there are."""
        return Call(("LLEN", self.space.key(key)), int)

    # Sets, which the server compares

    @in_clear
    def sadd(self, key: str, member: Value, *members: Value) -> Call[int]:
        """Add members; how many are new."""
        return Call(("SADD", self.space.key(key), *map(encoded, (member, *members))), int)

    @in_clear
    def srem(self, key: str, member: Value, *members: Value) -> Call[int]:
        """Remove members; how many there were."""
        return Call(("SREM", self.space.key(key), *map(encoded, (member, *members))), int)

    @in_clear
    def smembers(self, key: str) -> Call[Members]:
        """All members."""
        return Call(("SMEMBERS", self.space.key(key)), set)

    @in_clear
    def sismember(self, key: str, member: Value) -> Call[bool]:
        """Whether it is one."""
        return Call(("SISMEMBER", self.space.key(key), encoded(member)), bool)

    @in_clear
    def scard(self, key: str) -> Call[int]:
        """How many members there are."""
        return Call(("SCARD", self.space.key(key)), int)

    # Sorted sets

    @in_clear
    def zadd(self, key: str, scores: Mapping[str, float]) -> Call[int]:
        """Give members scores; how many are new."""
        pairs = [part for member, score in scores.items() for part in (score, member)]
        return Call(("ZADD", self.space.key(key), *pairs), int)

    @in_clear
    def zrem(self, key: str, member: str, *members: str) -> Call[int]:
        """Remove members; how many there were."""
        return Call(("ZREM", self.space.key(key), member, *members), int)

    @in_clear
    def zrange(
        self, key: str, start: int = 0, stop: int = -1, *, descending: bool = False
    ) -> Call[list[tuple[str, float]]]:
        """Members and scores from place *start* to place *stop*, both included; -1 is the last."""
        order = ("REV",) if descending else ()
        arguments = ("ZRANGE", self.space.key(key), start, stop, *order, "WITHSCORES")
        return Call(arguments, scored)

    @in_clear
    def zscore(self, key: str, member: str) -> Call[float | None]:
        """The score of a member, or None."""
        return Call(("ZSCORE", self.space.key(key), member), number)

    @in_clear
    def zremrangebyscore(self, key: str, lowest: float, highest: float) -> Call[int]:
        """Remove all with scores from *lowest* to *highest*, both included; how many there were."""
        return Call(("ZREMRANGEBYSCORE", self.space.key(key), lowest, highest), int)

    @in_clear
    def zcard(self, key: str) -> Call[int]:
        """How many members there are."""
        return Call(("ZCARD", self.space.key(key)), int)

    # Channels and streams

    @command
    def publish(self, channel: str, message: Value) -> Call[int]:
        """Tell who listens now; how many they are, on this server."""
        sealed = self.space.sealed(f"c:{channel}", message)
        return Call(("PUBLISH", self.space.key(channel), sealed), int)

    @command
    def xadd(
        self, key: str, fields: Mapping[str, Value], *, maxlen: int | None = None
    ) -> Call[str]:
        """Put an entry behind the last of a stream; its id.

        Args:
            key: the stream.
            fields: of the entry; one at least.
            maxlen: about how many entries are left, the oldest go.
        """
        limit = () if maxlen is None else ("MAXLEN", "~", maxlen)
        pairs = [
            part
            for field, value in fields.items()
            for part in (field, self.space.sealed(within("x", key, field), value))
        ]
        return Call(("XADD", self.space.key(key), *limit, "*", *pairs), text)

    @command
    def xrange(
        self, key: str, start: str = "-", end: str = "+", *, count: int | None = None
    ) -> Call[list[tuple[str, dict[str, bytes]]]]:
        """The entries from id *start* to id *end*, both included; at most *count*."""
        limit = () if count is None else ("COUNT", count)
        return Call(
            ("XRANGE", self.space.key(key), start, end, *limit), partial(self._entries, key)
        )

    @command
    def xread(
        self, after: Mapping[str, str], *, count: int | None = None, block_s: float | None = None
    ) -> Call[dict[str, list[tuple[str, dict[str, bytes]]]]]:
        """The entries of streams that came after an id each; streams without any are left out.

        Args:
            after: stream -> id; "0" for all, "$" for what comes from now on.
            count: how many of each at most.
            block_s: how long to wait for the first; less than the client's `socket_timeout`.
        """
        options: list[Any] = [] if count is None else ["COUNT", count]
        if block_s is not None:
            options += ["BLOCK", milliseconds(block_s)]
        streams = map(self.space.key, after)
        return Call(("XREAD", *options, "STREAMS", *streams, *after.values()), self._streams)

    # Answers

    def _got(self, key: str, kept: bytes | None) -> bytes | None:
        self._count(hit=kept is not None)
        if kept is None or self.space.sealing is None:
            return kept
        return self.space.opened(f"k:{key}", kept)

    def _count(self, *, hit: bool) -> None:
        if self.counts is not None:
            self.counts.count(self.space.tenant_id, hit=hit)

    def _got_all(self, keys: tuple[str, ...], kept: list[bytes | None]) -> dict[str, bytes]:
        values = ((key, self._got(key, each)) for key, each in zip(keys, kept, strict=True))
        return {key: value for key, value in values if value is not None}

    def _opened(self, place: str, kept: bytes | None) -> bytes | None:
        return None if kept is None else self.space.opened(place, kept)

    def _fields(self, kind: str, key: str, kept: Mapping[bytes, bytes]) -> dict[str, bytes]:
        named = ((field.decode(), value) for field, value in kept.items())
        return {name: self.space.opened(within(kind, key, name), value) for name, value in named}

    def _elements(self, key: str, *values: Value) -> list[bytes]:
        return [self.space.sealed(f"l:{key}", value) for value in values]

    def _listed(self, key: str, kept: list[bytes]) -> list[bytes]:
        return [self.space.opened(f"l:{key}", each) for each in kept]

    def _entries(self, key: str, kept: Any) -> list[tuple[str, dict[str, bytes]]]:
        return [(text(number), self._fields("x", key, fields)) for number, fields in kept]

    def _streams(self, kept: Any) -> dict[str, list[tuple[str, dict[str, bytes]]]]:
        if isinstance(kept, dict):  # the newer protocol's, in which each list is in a list
            kept = [(stream, entries[0]) for stream, entries in kept.items()]
        named = ((self.space.name(stream), entries) for stream, entries in kept or ())
        return {name: self._entries(name, entries) for name, entries in named}


def nothing(_: object) -> None:
    """Take an answer that says nothing."""


def text(answer: bytes) -> str:
    """An id of the server's."""
    return answer.decode()


def number(answer: Any) -> float | None:
    """A score, which a server's older protocol tells as text."""
    return None if answer is None else float(answer)


def seconds_left(left_ms: int) -> float | None:
    """What PTTL says: -2 for nothing there, -1 for no end."""
    return left_ms / 1000 if left_ms >= 0 else {-1: math.inf}.get(left_ms)


def scored(answer: Any) -> list[tuple[str, float]]:
    """Members and scores: in pairs, or by the older protocol one behind the other."""
    flat = bool(answer) and isinstance(answer[0], bytes)
    pairs = zip(answer[::2], answer[1::2], strict=True) if flat else answer
    return [(member.decode(), float(score)) for member, score in pairs]
