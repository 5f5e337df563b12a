"""Values that the server can't read, and that open nowhere but at their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.exceptions import InvalidTag

from partywall.adapters.redis import Script
from partywall.errors import ConfigurationError
from tests.adapters.redis.caches import ACME, GLOBEX
from tests.adapters.redis.sealings import Sealed

if TYPE_CHECKING:
    from tests.adapters.redis.caches import Caches

SECRET = b"the canary of acme"


def test_what_is_sealed_comes_back_and_lies_nowhere_in_the_clear(caches: Caches) -> None:
    cache = caches(ACME, sealing=Sealed())
    with caches(ACME).subscribe("c") as wire, cache.subscribe("c") as listening:
        cache.publish("c", SECRET)
        assert listening.get(60).data == SECRET
        sent = wire.get(60).data
    cache.set("a", SECRET)
    cache.mset({"b": SECRET})
    cache.hset("h", {"f": SECRET})
    cache.rpush("l", SECRET, SECRET)
    entry = cache.xadd("s", {"f": SECRET})
    cache.get_or_compute("d", caches.function(SECRET), ttl_s=100, group="g")
    with cache.pipeline() as pipe:
        pipe.set("p", SECRET)
        pipe.get("p")
        assert pipe.execute() == [True, SECRET]
    stored = [sent, *(caches.plain.dump(key) for key in caches.plain.keys("*"))]
    assert len(stored) == 8
    assert not any(SECRET in each for each in stored)
    assert cache.get("a") == SECRET
    assert cache.mget("a", "b") == {"a": SECRET, "b": SECRET}
    assert (cache.hget("h", "f"), cache.hgetall("h")) == (SECRET, {"f": SECRET})
    assert cache.lrange("l") == [SECRET, SECRET]
    assert (cache.lpop("l"), cache.rpop("l")) == (SECRET, SECRET)
    assert cache.xrange("s") == [(entry, {"f": SECRET})]
    assert cache.xread({"s": "0"}) == {"s": [(entry, {"f": SECRET})]}
    assert cache.get_or_compute("d", caches.function(b"not"), ttl_s=100, group="g") == SECRET


def test_a_value_that_was_moved_does_not_open(caches: Caches) -> None:
    sealing = Sealed()
    cache, other = caches(ACME, sealing=sealing), caches(GLOBEX, sealing=sealing)
    elsewhere = caches(ACME, sealing=sealing, namespace="other")
    cache.set("a", SECRET)
    kept: Any = caches.plain.get("pw:{acme}:a")
    caches.plain.set("pw:{acme}:b", kept)
    caches.plain.set("pw:{acme:eu}:a", kept)
    caches.plain.set("other:{acme}:a", kept)
    caches.plain.rpush("pw:{acme}:l", kept)
    caches.plain.hset("pw:{acme}:h", "a", kept)
    asked: list[Any] = [
        lambda: cache.get("b"),
        lambda: cache.mget("b"),
        lambda: other.get("a"),
        lambda: elsewhere.get("a"),
        lambda: cache.lrange("l"),
        lambda: cache.lpop("l"),
        lambda: cache.hget("h", "a"),
        lambda: cache.hgetall("h"),
        lambda: cache.get_or_compute("b", caches.function(1), ttl_s=100),
    ]
    for each in asked:
        with pytest.raises(InvalidTag):
            each()
    assert cache.get("a") == SECRET


def test_a_field_that_was_moved_does_not_open(caches: Caches) -> None:
    cache = caches(ACME, sealing=Sealed())
    cache.hset("h", {"f": SECRET})
    kept: Any = caches.plain.hget("pw:{acme}:h", "f")
    caches.plain.hset("pw:{acme}:h", "g", kept)
    caches.plain.hset("pw:{acme}:i", "f", kept)
    for key, field in (("h", "g"), ("i", "f")):
        with pytest.raises(InvalidTag):
            cache.hget(key, field)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("incr", ("a",)), ("sadd", ("a", "b")), ("srem", ("a", "b")), ("smembers", ("a",)),
        ("sismember", ("a", "b")), ("scard", ("a",)), ("zadd", ("a", {"b": 1})),
        ("zrem", ("a", "b")), ("zrange", ("a",)), ("zscore", ("a", "b")), ("zcard", ("a",)),
        ("zremrangebyscore", ("a", 0, 1)), ("execute", ("GET", "a")),
        ("run", (Script("return 1"),)),
    ],
)  # fmt: skip
def test_what_the_server_must_read_is_refused_where_values_are_sealed(
    caches: Caches, method: str, arguments: tuple[Any, ...]
) -> None:
    cache = caches(ACME, sealing=Sealed())
    with pytest.raises(ConfigurationError, match="this cache seals them"):
        getattr(cache, method)(*arguments)
    if method not in {"execute", "run"}:
        with cache.pipeline() as pipe, pytest.raises(ConfigurationError):
            getattr(pipe, method)(*arguments)
    assert caches.plain.dbsize() == 0
