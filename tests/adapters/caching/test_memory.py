"""The cache in the memory of the process has the methods of the one over Redis, and a limit."""

from __future__ import annotations

import inspect
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.adapters.caching import Counts, MemoryCache, MemoryStore, Tally
from partywall.adapters.caching.shelf import OVERHEAD_BYTES, Entry, Shelf, Slot, weight
from partywall.adapters.redis import TenantCache
from partywall.errors import MissingTenant
from tests.adapters.redis.caches import ACME, GLOBEX

if TYPE_CHECKING:
    from tests.adapters.caching.stores import Stores


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_words_are_those_of_a_tenants_cache_over_redis(stores: Stores) -> None:
    cache, other = stores(ACME), stores(GLOBEX)
    assert cache.get("a") is None
    assert cache.set("a", 1)
    assert (cache.set("a", 2, nx=True), cache.set("b", 2, xx=True)) == (False, False)
    assert (cache.set("a", 2, xx=True), cache.set("b", 3, nx=True)) == (True, True)
    assert cache.mget("a", "b", "c") == {"a": b"2", "b": b"3"}
    cache.mset({"c": "x", "d": b"y"})
    assert (cache.incr("n"), cache.incr("n", 4)) == (1, 5)
    assert cache.keys() == ["a", "b", "c", "d", "n"]
    assert cache.keys("[ab]") == sorted(cache.scan("[ab]")) == ["a", "b"]
    assert (cache.exists("a"), cache.exists("z")) == (True, False)
    assert cache.ttl("a") == math.inf
    assert cache.ttl("z") is None
    assert (cache.expire("a", 100), cache.expire("z", 100)) == (True, False)
    assert 0 < cache.ttl("a") <= 100
    assert cache.memory_bytes() > 0
    assert cache.delete("a", "z") == 1
    assert (other.keys(), other.get("b"), other.memory_bytes()) == ([], None, 0)
    other.set("b", "theirs")
    assert cache.flush() == 4
    assert (cache.keys(), other.get("b")) == ([], b"theirs")
    with pytest.raises(ValueError, match="ttl_s"):
        cache.set("a", 1, ttl_s=0)
    with pytest.raises(TypeError, match="encode it"):
        cache.set("a", None)
    with pytest.raises(MissingTenant):
        stores.store(None)


def test_no_method_in_memory_takes_other_arguments_than_over_redis() -> None:
    for name in ("get", "set", "mget", "mset", "incr", "delete", "exists", "expire", "ttl", "keys",
                 "flush", "memory_bytes", "invalidate", "invalidate_group"):  # fmt: skip
        ours, theirs = getattr(MemoryCache, name), getattr(TenantCache, name)
        assert [*inspect.signature(ours).parameters] == [*inspect.signature(theirs).parameters]
    signature = inspect.signature(MemoryCache.get_or_compute)
    assert signature == inspect.signature(TenantCache.get_or_compute)


def test_values_in_memory_end() -> None:
    clock = Clock()
    cache = MemoryStore(clock=clock)(ACME)
    cache.set("a", 1, ttl_s=10)
    cache.set("b", 1)
    clock.now = 9.9
    assert cache.keys() == ["a", "b"]
    assert cache.incr("a") == 2  # and ends as before
    clock.now = 10
    assert (cache.keys(), cache.get("a"), cache.delete("a")) == (["b"], None, 0)


def test_an_answer_in_memory_is_fresh_then_stale_then_gone() -> None:
    clock = Clock()
    cache = MemoryStore(clock=clock)(ACME)
    answers = iter([b"1", b"2", b"3"])

    def asked() -> bytes:
        return cache.get_or_compute("a", lambda: next(answers), ttl_s=10, stale_s=5)

    assert asked() == b"1"
    clock.now = 9.9
    assert asked() == b"1"
    clock.now = 10
    assert asked() == b"2"  # the only one who asks computes
    clock.now = 25
    assert cache.get("a") is None
    assert asked() == b"3"


def test_hits_and_misses_in_memory_are_counted() -> None:
    counts = Counts()
    cache = MemoryStore(counts=counts)(ACME)
    cache.get("a")
    cache.get_or_compute("a", lambda: 1, ttl_s=9)
    cache.get_or_compute("a", lambda: 1, ttl_s=9)
    cache.mget("a", "b")
    assert counts.of("acme") == Tally(2, 3)


def test_one_tenant_can_not_push_out_what_another_keeps() -> None:
    store = MemoryStore(max_bytes=100_000, tenant_bytes=20_000)
    store(GLOBEX).set("a", "theirs")
    mine = store(ACME)
    for number in range(1000):
        mine.set(f"key {number}", "x" * 100)
    assert store(GLOBEX).get("a") == b"theirs"
    assert mine.memory_bytes() <= 20_000
    assert mine.get("key 999") is not None
    assert mine.get("key 0") is None


def test_a_value_that_is_too_large_is_not_kept_and_neither_is_the_one_before() -> None:
    cache = MemoryStore(max_bytes=10_000, tenant_bytes=5_000)(ACME)
    cache.set("a", "old")
    cache.set("a", "x" * 6_000)
    assert cache.get("a") is None


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["write", "read", "remove"]),
            st.sampled_from(["a", "b", "c"]),
            st.integers(0, 8),
            st.integers(0, 900),
        )
    )
)
def test_the_limits_hold_and_the_bookkeeping_is_right(
    steps: list[tuple[str, str, int, int]],
) -> None:
    shelf = Shelf(4000, 2500, Clock())
    kept: dict[Slot, bytes] = {}
    for what, tenant, number, size in steps:
        slot = Slot(tenant, "value", str(number))
        if what == "write":
            kept[slot] = b"x" * size
            shelf.write(slot, Entry(kept[slot]))
        elif what == "remove":
            shelf.remove(slot)
            kept.pop(slot, None)
        else:
            entry = shelf.read(slot)
            assert entry is None or entry.value == kept[slot]
        sizes = {each: shelf.size(each) for each in "abc"}
        assert max(sizes.values()) <= 2500
        assert sum(sizes.values()) <= 4000
        for each, found in sizes.items():
            slots = shelf.of(each)
            assert found == sum(weight(slot, Entry(kept[slot])) for slot in slots)


def test_the_least_recently_used_goes_first() -> None:
    cache = MemoryStore(max_bytes=4 * (OVERHEAD_BYTES + 2), tenant_bytes=2**20)(ACME)
    for name in "abcd":
        cache.set(name, 1)
    cache.get("a")
    cache.set("e", 1)
    assert cache.keys() == ["a", "c", "d", "e"]


def test_a_generation_is_never_dropped_before_the_answers_that_it_made_out_of_date() -> None:
    size = OVERHEAD_BYTES + 64
    cache = MemoryStore(max_bytes=8 * size, tenant_bytes=8 * size)(ACME)
    cache.get_or_compute("a", lambda: b"old", ttl_s=600, group="g")
    cache.invalidate_group("g", 600)
    for number in range(100):
        cache.set(str(number), "x")
        assert cache.get_or_compute("a", lambda: b"new", ttl_s=600, group="g") == b"new"
    for number in range(100):
        cache.set(str(number), "x")
    assert cache.get_or_compute("a", lambda: b"newer", ttl_s=600, group="g") == b"newer"


def test_many_threads_count_in_memory_and_none_is_lost() -> None:
    cache, everybody = MemoryStore()(ACME), threading.Barrier(8)

    def counted() -> None:
        everybody.wait(120)
        for _ in range(500):
            cache.incr("n")

    with ThreadPoolExecutor(8) as threads:
        for future in [threads.submit(counted) for _ in range(8)]:
            future.result()
    assert cache.get("n") == b"4000"
