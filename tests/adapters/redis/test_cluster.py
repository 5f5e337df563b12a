"""On a cluster, all keys of a tenant are in one slot."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import redis.asyncio
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis, RedisCluster
from redis.crc import key_slot
from redis.exceptions import RedisClusterException, ResponseError

from partywall.adapters.redis import AsyncTenantCache, Script, TenantCache
from partywall.adapters.redis.keyspace import Keyspace
from partywall.context import TenantContext
from partywall.servers import redis as server
from partywall.servers.launch import free_port
from tests.adapters.redis.caches import ACME, GLOBEX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.servers import Redis as Server

SLOTS = 16384


@pytest.fixture(scope="module")
def cluster() -> Iterator[Server]:
    """A cluster of one; the bus has a port of its own, as 10,000 more is past the last one."""
    with server({"cluster-enabled": "yes", "cluster-port": str(free_port())}) as running:
        with Redis.from_url(running.url()) as client:
            client.execute_command("CLUSTER ADDSLOTSRANGE", 0, SLOTS - 1)
            while client.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
                pass
        yield running


@given(first=st.text(max_size=9), second=st.text(max_size=9))
def test_all_keys_of_a_tenant_are_in_one_slot(first: str, second: str) -> None:
    space = Keyspace(TenantContext("acme:eu@x"))
    keys = [space.key(first), space.key(second), space.own("lock", first), space.own("counts")]
    assert len({key_slot(bytes(key)) for key in keys}) == 1


def test_what_takes_many_keys_works_on_a_cluster(cluster: Server) -> None:
    with RedisCluster(host="127.0.0.1", port=cluster.port, socket_timeout=120) as client:
        cache, other = TenantCache(client, ACME), TenantCache(client, GLOBEX)
        cache.mset({"a": 1, "b": 2})
        other.set("a", 3)
        assert cache.mget("a", "b") == {"a": b"1", "b": b"2"}
        with cache.pipeline() as pipe:
            pipe.set("c", 3)
            pipe.get("a")
            assert pipe.execute() == [True, b"1"]
        with cache.pipeline(watch=["a"]) as pipe:
            pipe.set("c", 4)
            assert pipe.execute() == [True]
        assert cache.execute("SUNIONSTORE", cache.key("s"), cache.key("t"), cache.key("u")) == 0
        assert cache.execute("ZUNIONSTORE", cache.key("s"), 1, cache.key("t")) == 0
        assert cache.run(Script("return redis.call('GET', KEYS[1])"), ["a"]) == b"1"
        assert cache.get_or_compute("d", lambda: 5, ttl_s=100) == b"5"
        with cache.lock("l", ttl_s=100):
            pass
        with cache.subscribe("c") as listening:
            cache.publish("c", "x")
            message = listening.get(60)
            assert message is not None
            assert message.data == b"x"
        assert cache.keys() == ["a", "b", "c", "d"]
        assert cache.memory_bytes() > 0
        assert cache.flush() == 4
        assert other.keys() == ["a"]
        other.flush()
        # Keys of two tenants in one command are refused by the cluster itself.
        with pytest.raises((RedisClusterException, ResponseError)):
            client.execute_command("MGET", cache.key("a"), other.key("a"))


def test_the_same_awaited(cluster: Server) -> None:
    async def asked() -> None:
        client = redis.asyncio.RedisCluster(host="127.0.0.1", port=cluster.port, socket_timeout=120)
        cache = AsyncTenantCache(client, ACME)

        async def five() -> int:
            return 5

        await cache.mset({"a": 1, "b": 2})
        assert await cache.mget("a", "b") == {"a": b"1", "b": b"2"}
        async with cache.pipeline(watch=["a"]) as pipe:
            pipe.set("c", 4)
            assert await pipe.execute() == [True]
        assert await cache.get_or_compute("d", five, ttl_s=100) == b"5"
        async with cache.lock("l", ttl_s=100):
            pass
        assert await cache.execute("ZUNIONSTORE", cache.key("s"), 1, cache.key("t")) == 0
        assert await cache.keys() == ["a", "b", "c", "d"]
        assert await cache.flush() == 4
        await client.aclose()

    asyncio.run(asked())
