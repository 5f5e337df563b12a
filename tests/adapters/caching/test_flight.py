"""One computes; the others wait, or take what there was."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import redis.asyncio
from redis import Redis

from partywall.adapters.caching import MemoryStore
from partywall.adapters.redis import AsyncTenantCache, TenantCache
from tests.adapters.redis.caches import ACME, GLOBEX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.adapters.caching.stores import Stores

MANY = 16
GENEROUS_S = 120
LONG_S = 600.0

DYING = """
import os, sys
from redis import Redis
from partywall.adapters.redis import TenantCache
from partywall.context import TenantContext
cache = TenantCache(Redis.from_url(sys.argv[1]), TenantContext("acme"))
cache.get_or_compute("a", lambda: os._exit(9), ttl_s=600, lock_s=float(sys.argv[2]))
"""


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, redis_url: str) -> Iterator[Callable[..., Any]]:
    """A store for threads."""
    if request.param == "memory":
        yield MemoryStore()
    else:
        with Redis.from_url(redis_url) as client:
            yield partial(TenantCache, client)


def test_of_many_threads_one_computes_and_all_have_its_answer(store: Callable[..., Any]) -> None:
    calls, everybody = [], threading.Barrier(MANY)

    def computed() -> bytes:
        calls.append(1)
        return b"answer"

    def asked() -> bytes:
        everybody.wait(GENEROUS_S)
        found: bytes = store(ACME).get_or_compute("a", computed, ttl_s=LONG_S, lock_s=LONG_S)
        return found

    with ThreadPoolExecutor(MANY) as threads:
        answers = [
            future.result(GENEROUS_S) for future in [threads.submit(asked) for _ in range(MANY)]
        ]
    assert answers == [b"answer"] * MANY
    assert len(calls) == 1


@pytest.mark.parametrize("kind", ["memory", "redis"])
def test_of_many_coroutines_one_computes(kind: str, redis_url: str) -> None:
    calls = []

    async def computed() -> bytes:
        calls.append(1)
        await asyncio.sleep(0.02)
        return b"answer"

    async def asked() -> list[bytes]:
        client = redis.asyncio.Redis.from_url(redis_url)
        store = (
            MemoryStore().asynchronous if kind == "memory" else partial(AsyncTenantCache, client)
        )
        cache: Any = store(ACME)
        asking = [
            cache.get_or_compute("a", computed, ttl_s=LONG_S, lock_s=LONG_S) for _ in range(MANY)
        ]
        found = await asyncio.gather(*asking)
        await client.aclose()
        return found

    assert asyncio.run(asked()) == [b"answer"] * MANY
    assert len(calls) == 1


def test_while_one_computes_the_next_the_others_have_the_stale_one(
    store: Callable[..., Any],
) -> None:
    cache = store(ACME)
    terms = {"ttl_s": 0.001, "stale_s": LONG_S, "lock_s": LONG_S}
    cache.get_or_compute("a", lambda: b"old", **terms)
    while cache.ttl("a") > LONG_S:
        pass
    begun, finish = threading.Event(), threading.Event()

    def computed() -> bytes:
        begun.set()
        assert finish.wait(GENEROUS_S)
        return b"new"

    with ThreadPoolExecutor(1) as threads:
        computing = threads.submit(cache.get_or_compute, "a", computed, **terms)
        assert begun.wait(GENEROUS_S)
        assert cache.get_or_compute("a", lambda: b"never", **terms) == b"old"
        finish.set()
        assert computing.result(GENEROUS_S) == b"new"
    assert cache.get("a") == b"new"


def test_a_process_that_dies_while_it_computes_blocks_nobody_for_longer_than_its_lock(
    redis_url: str,
) -> None:
    with Redis.from_url(redis_url) as client:
        cache = TenantCache(client, ACME)
        surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", DYING, redis_url, "600"]
        died = subprocess.run(command, check=False, env=surroundings)
        assert died.returncode == 9
        [lock] = client.keys("*")
        assert 0 < client.pttl(lock) <= 600_000  # so it ends by itself
        client.pexpire(lock, 1)
        assert cache.get_or_compute("a", lambda: b"b", ttl_s=LONG_S, lock_s=LONG_S) == b"b"


def test_who_has_waited_twice_as_long_as_a_lock_lasts_computes_too(
    store: Callable[..., Any],
) -> None:
    cache, begun, finish = store(ACME), threading.Event(), threading.Event()

    def never_done() -> bytes:
        begun.set()
        assert finish.wait(GENEROUS_S)
        return b"late"

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(cache.get_or_compute, "a", never_done, ttl_s=LONG_S, lock_s=LONG_S)
        assert begun.wait(GENEROUS_S)
        assert cache.get_or_compute("a", lambda: b"own", ttl_s=LONG_S, lock_s=0.01) == b"own"
        finish.set()
        assert first.result(GENEROUS_S) == b"late"


def test_a_failure_is_raised_and_lets_the_next_one_compute(stores: Stores) -> None:
    cache = stores(ACME)

    def failing() -> bytes:
        raise RuntimeError("no answer")

    with pytest.raises(RuntimeError, match="no answer"):
        cache.get_or_compute("a", stores.function(failing), ttl_s=LONG_S, lock_s=LONG_S)
    found = cache.get_or_compute("a", stores.function(lambda: b"b"), ttl_s=LONG_S, lock_s=LONG_S)
    assert found == b"b"


def test_who_is_cancelled_while_computing_lets_the_next_one_compute(redis_url: str) -> None:
    async def asked() -> bytes:
        client = redis.asyncio.Redis.from_url(redis_url)
        cache, begun = AsyncTenantCache(client, ACME), asyncio.Event()

        async def for_ever() -> bytes:
            begun.set()
            await asyncio.Event().wait()
            return b""

        async def answer() -> bytes:
            return b"b"

        task = asyncio.create_task(cache.get_or_compute("a", for_ever, ttl_s=LONG_S, lock_s=LONG_S))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        found = await cache.get_or_compute("a", answer, ttl_s=LONG_S, lock_s=LONG_S)
        await client.aclose()
        return found

    assert asyncio.run(asked()) == b"b"


def test_one_tenants_answer_is_not_anothers(stores: Stores) -> None:
    for context in (ACME, GLOBEX):
        own = context.tenant_id
        function = stores.function(partial(str, own))
        assert stores(context).get_or_compute("a", function, ttl_s=9) == own.encode()
    assert stores(ACME).get_or_compute("a", stores.function(lambda: "other"), ttl_s=9) == b"acme"


@pytest.mark.parametrize("how", ["invalidate", "invalidate_group", "flush"])
def test_what_was_being_computed_when_it_was_invalidated_is_not_kept(
    stores: Stores, how: str
) -> None:
    cache = stores(ACME)
    forget: Callable[[], Any] = {
        "invalidate": lambda: stores.store(ACME).invalidate("a"),
        "invalidate_group": lambda: stores.store(ACME).invalidate_group("g", LONG_S),
        "flush": lambda: stores.store(ACME).flush(),
    }[how]
    terms = {"ttl_s": LONG_S, "group": "g"}

    def outdated() -> bytes:
        forget()
        return b"old"

    async def outdated_too() -> bytes:
        await forget()
        return b"old"

    function = outdated if stores.runner is None else outdated_too
    assert cache.get_or_compute("a", function, **terms) == b"old"
    assert cache.get_or_compute("a", stores.function(lambda: b"new"), **terms) == b"new"
    assert cache.get_or_compute("a", stores.function(lambda: b"never"), **terms) == b"new"


def test_a_group_is_invalidated_for_one_tenant(stores: Stores) -> None:
    terms = {"ttl_s": LONG_S, "group": "g"}
    for context in (ACME, GLOBEX):
        for key in ("a", "b"):
            stores(context).get_or_compute(key, stores.function(lambda: b"old"), **terms)
    stores(ACME).get_or_compute("c", stores.function(lambda: b"old"), ttl_s=LONG_S, group="h")
    stores(ACME).invalidate_group("g", LONG_S)
    new = stores.function(lambda: b"new")
    assert [stores(ACME).get_or_compute(key, new, **terms) for key in "ab"] == [b"new"] * 2
    assert [stores(GLOBEX).get_or_compute(key, new, **terms) for key in "ab"] == [b"old"] * 2
    assert stores(ACME).get_or_compute("c", new, ttl_s=LONG_S, group="h") == b"old"


@pytest.mark.parametrize(
    "terms", [{"ttl_s": 0}, {"ttl_s": 1, "stale_s": -1}, {"ttl_s": 1, "lock_s": 0}]
)
def test_terms_that_cannot_be_kept_are_refused(stores: Stores, terms: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        stores(ACME).get_or_compute("a", stores.function(lambda: b"b"), **terms)
