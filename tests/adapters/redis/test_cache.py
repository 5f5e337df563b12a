"""Every method does what it says, blocking and awaited, over both protocols."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import pytest
import redis as redis_py
from redis.exceptions import LockError, LockNotOwnedError, WatchError

from partywall.adapters.redis import Counts, Message, Script, Tally, TenantCache
from partywall.errors import ConfigurationError, MissingTenant
from tests.adapters.redis.caches import ACME, GLOBEX

if TYPE_CHECKING:
    from tests.adapters.redis.caches import Caches


def test_values(caches: Caches) -> None:
    cache = caches(ACME)
    assert cache.get("a") is None
    assert cache.set("a", "ä")
    assert cache.get("a") == "ä".encode()
    assert not cache.set("a", 2, nx=True)
    assert not cache.set("b", 2, xx=True)
    assert cache.set("a", 2.5, xx=True)
    assert cache.set("b", b"\xff", nx=True)
    assert cache.mget("a", "b", "c") == {"a": b"2.5", "b": b"\xff"}
    cache.mset({"c": 3, "d": 4})
    assert cache.incr("c") == 4
    assert cache.incr("c", 10) == 14
    assert cache.exists("d")
    assert cache.delete("c", "d", "e") == 2
    assert not cache.exists("d")


def test_values_end(caches: Caches) -> None:
    cache = caches(ACME)
    cache.set("a", 1, ttl_s=1000)
    cache.set("b", 1)
    assert 900 < cache.ttl("a") <= 1000
    assert cache.ttl("b") == math.inf
    assert cache.ttl("c") is None
    assert cache.expire("b", 500)
    assert 400 < cache.ttl("b") <= 500
    assert not cache.expire("c", 500)
    cache.set("b", 1, ttl_s=0.0001)
    while cache.exists("b"):
        pass


@pytest.mark.parametrize("ttl_s", [0, -1, math.inf, math.nan])
def test_what_lasts_no_time_or_for_ever_is_no_ttl(caches: Caches, ttl_s: float) -> None:
    with pytest.raises(ValueError, match="ttl_s"):
        caches(ACME).set("a", 1, ttl_s=ttl_s)


@pytest.mark.parametrize("value", [None, True, [1], {"a": 1}])
def test_what_has_no_one_form_is_not_kept(caches: Caches, value: object) -> None:
    with pytest.raises(TypeError, match="encode it"):
        caches(ACME).set("a", value)


def test_hashes_lists_sets_and_sorted_sets(caches: Caches) -> None:
    cache = caches(ACME)
    assert cache.hset("h", {"a": 1, "b": "x"}) == 2
    assert cache.hget("h", "a") == b"1"
    assert cache.hget("h", "c") is None
    assert cache.hgetall("h") == {"a": b"1", "b": b"x"}
    assert cache.hgetall("i") == {}
    assert cache.hdel("h", "a", "c") == 1
    assert (cache.rpush("l", 1, 2), cache.lpush("l", 0), cache.llen("l")) == (2, 3, 3)
    assert cache.lrange("l", 0, 1) == [b"0", b"1"]
    assert (cache.lpop("l"), cache.rpop("l"), cache.lpop("m")) == (b"0", b"2", None)
    assert (cache.sadd("s", "a", "b"), cache.srem("s", "b", "c")) == (2, 1)
    assert cache.smembers("s") == {b"a"}
    assert cache.smembers("t") == set()
    assert (cache.sismember("s", "a"), cache.sismember("s", "b")) == (True, False)
    assert cache.scard("s") == 1
    assert cache.zadd("z", {"a": 1.5, "b": 2, "c": 3}) == 3
    assert cache.zrange("z", 0, 1) == [("a", 1.5), ("b", 2.0)]
    assert cache.zrange("z", 0, 0, descending=True) == [("c", 3.0)]
    assert cache.zrange("y") == []
    assert (cache.zscore("z", "a"), cache.zscore("z", "q")) == (1.5, None)
    assert (cache.zrem("z", "a"), cache.zremrangebyscore("z", 3, 9), cache.zcard("z")) == (1, 1, 1)


def test_streams(caches: Caches) -> None:
    cache = caches(ACME)
    first = cache.xadd("s", {"n": 1})
    second = cache.xadd("s", {"n": 2, "m": "x"}, maxlen=1000)
    assert cache.xrange("s") == [(first, {"n": b"1"}), (second, {"n": b"2", "m": b"x"})]
    assert cache.xrange("s", count=1) == [(first, {"n": b"1"})]
    assert cache.xread({"s": first, "t": "0"}) == {"s": [(second, {"n": b"2", "m": b"x"})]}
    assert cache.xread({"s": "0", "t": "0"}, count=1) == {"s": [(first, {"n": b"1"})]}
    assert cache.xread({"s": second}, block_s=0.001) == {}


def test_names_come_back_without_prefix(caches: Caches) -> None:
    cache = caches(ACME)
    cache.mset({"a:1": 1, "a:2": 2, "b": 3, "a*": 4, "ä\udcff": 5})
    assert cache.keys() == ["a*", "a:1", "a:2", "b", "ä\udcff"]
    assert cache.keys("a:*") == ["a:1", "a:2"]
    assert cache.keys(r"a\*") == ["a*"]
    assert set(cache.scan("a:?")) == {"a:1", "a:2"}


def test_flush_and_memory_are_of_one_tenant(caches: Caches) -> None:
    cache, other = caches(ACME), caches(GLOBEX)
    other.set("x", "y" * 10_000)
    assert cache.memory_bytes() == 0
    cache.mset({f"key {n}": "x" * 100 for n in range(1500)})
    assert 150_000 < cache.memory_bytes() < 1_000_000
    assert cache.flush() == 1500
    assert cache.keys() == []
    assert cache.memory_bytes() == 0
    assert other.keys() == ["x"]
    assert other.memory_bytes() > 10_000


def test_flush_leaves_nothing_of_partywalls_own_behind(caches: Caches) -> None:
    cache = caches(ACME, counts=Counts())
    cache.get("a")
    cache.save_counts()
    cache.invalidate_group("g", 100)
    assert caches.plain.dbsize() == 2
    assert cache.flush() == 2
    assert caches.plain.dbsize() == 0


def test_hits_and_misses_are_counted_for_each_tenant(caches: Caches) -> None:
    counts = Counts()
    cache, other = caches(ACME, counts=counts), caches(GLOBEX, counts=counts)
    cache.set("a", 1)
    for _ in range(3):
        cache.get("a")
    cache.mget("a", "b", "c")
    other.get("a")
    cache.get_or_compute("d", caches.function(1), ttl_s=100)
    cache.get_or_compute("d", caches.function(1), ttl_s=100)
    assert counts.of("acme") == Tally(5, 3)
    assert counts.of("acme:eu") == Tally(0, 1)
    assert cache.save_counts() == Tally(5, 3)
    assert counts.of("acme") == Tally(0, 0)
    cache.get("a")
    assert cache.save_counts() == Tally(6, 3)
    with pytest.raises(ConfigurationError, match="counts=Counts"):
        caches(ACME).save_counts()


def test_counts_that_could_not_be_saved_are_not_lost(caches: Caches) -> None:
    counts = Counts()
    cache = caches(ACME, counts=counts)
    cache.get("a")
    caches.plain.set("pw:{acme}!counts:", "not a hash")
    with pytest.raises(redis_py.ResponseError):
        cache.save_counts()
    assert counts.of("acme") == Tally(0, 1)


def test_a_lock_lets_one_in_at_a_time(caches: Caches) -> None:
    cache = caches(ACME)
    with cache.lock("l", ttl_s=100):
        with pytest.raises(LockError, match="somebody else"), cache.lock("l", ttl_s=100):
            pass
        with caches(GLOBEX).lock("l", ttl_s=100):  # another tenant's is another lock
            pass
    with cache.lock("l", ttl_s=100):
        pass
    assert caches.plain.dbsize() == 0


def test_a_lock_of_somebody_who_died_ends(caches: Caches) -> None:
    cache = caches(ACME)
    caches.plain.set("pw:{acme}!lock:l", b"dead", px=50)
    with cache.lock("l", ttl_s=100, wait_s=60):
        pass


def test_a_lock_that_was_lost_is_told_and_anothers_is_left_alone(caches: Caches) -> None:
    cache = caches(ACME)
    with pytest.raises(LockNotOwnedError), cache.lock("l", ttl_s=100):
        caches.plain.set("pw:{acme}!lock:l", b"somebody else's")
    assert caches.plain.get("pw:{acme}!lock:l") == b"somebody else's"
    with pytest.raises(ZeroDivisionError), cache.lock("m", ttl_s=100):
        _ = caches.plain.delete("pw:{acme}!lock:m") / 0  # its own error is what is told


def test_messages_stay_with_the_tenant(caches: Caches) -> None:
    cache, other = caches(ACME), caches(GLOBEX)
    with cache.subscribe("news", "more") as listening:
        assert other.publish("news", "theirs") == 0
        assert cache.publish("news", "mine") == 1
        assert cache.publish("more", b"\xff") == 1
        assert listening.get(60) == Message("news", b"mine")
        assert listening.get(60) == Message("more", b"\xff")
        assert listening.get(0) is None
    with cache.psubscribe("*") as listening:
        assert other.publish("news", "theirs") == 0
        cache.publish("x:y", "mine")
        assert listening.get(60) == Message("x:y", b"mine")


def test_messages_come_one_after_the_other(redis_url: str) -> None:
    with redis_py.Redis.from_url(redis_url) as client:
        cache = TenantCache(client, ACME)
        with cache.subscribe("news") as listening:
            for number in range(3):
                cache.publish("news", number)
            found = [message.data for _, message in zip(range(3), listening, strict=False)]
    assert found == [b"0", b"1", b"2"]


def test_a_pipeline_answers_as_the_methods_do(caches: Caches) -> None:
    cache, other = caches(ACME), caches(GLOBEX)
    with cache.pipeline() as pipe:
        pipe.set("a", 1, ttl_s=100)
        pipe.get("a")
        pipe.hset("h", {"f": 1})
        pipe.hgetall("h")
        pipe.zadd("z", {"m": 1})
        pipe.zrange("z")
        pipe.xread({"s": "0"})
        assert pipe.execute() == [True, b"1", 1, {"f": b"1"}, 1, [("m", 1.0)], {}]
        pipe.get("a")
        assert pipe.execute() == [b"1"]
    assert other.keys() == []
    with cache.pipeline(atomic=False) as pipe:
        pipe.get("a")
        pipe.get("b")
        assert pipe.execute() == [b"1", None]


def test_a_transaction_fails_when_what_it_watches_has_changed(caches: Caches) -> None:
    cache, other = caches(ACME), caches(GLOBEX)
    cache.set("a", 1)
    with cache.pipeline(watch=["a"]) as pipe:
        other.set("a", 5)
        pipe.set("a", 2)
        assert pipe.execute() == [True]
    with cache.pipeline(watch=["a"]) as pipe:
        cache.set("a", 3)
        pipe.set("a", 4)
        with pytest.raises(WatchError):
            pipe.execute()
    assert cache.get("a") == b"3"


def test_a_script_runs_with_the_tenants_keys(caches: Caches) -> None:
    adding = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    assert caches(ACME).run(adding, ["n"], [5]) == 5
    assert caches(ACME).run(adding, ["n"], [5]) == 10
    assert caches(GLOBEX).run(adding, ["n"], [1]) == 1
    caches.plain.script_flush()
    assert caches(ACME).run(adding, ["n"], [1]) == 11


def test_a_cache_needs_a_context_and_a_client_of_bytes(caches: Caches, redis_url: str) -> None:
    with pytest.raises(MissingTenant):
        caches(None)  # type: ignore[arg-type] # what the test is about
    with (
        redis_py.Redis.from_url(redis_url, decode_responses=True) as client,
        pytest.raises(ConfigurationError, match="decode_responses"),
    ):
        TenantCache(client, ACME)


def test_a_cache_tells_its_tenant_and_no_more(redis_url: str) -> None:
    with redis_py.Redis.from_url(redis_url) as client:
        assert repr(TenantCache(client, ACME)) == "<TenantCache of acme>"


def test_without_redis_py_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("partywall.adapters.redis")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'partywall\[redis\]'"):
        import partywall.adapters.redis  # noqa: F401, PLC0415 - what the test is about
