"""A command that is cancelled leaves no answer behind for who uses the connection next."""

from __future__ import annotations

import asyncio

import redis.asyncio

from partywall.adapters.redis import AsyncTenantCache
from tests.adapters.redis.caches import ACME, GLOBEX

ROUNDS = 100


def test_no_answer_to_a_cancelled_command_reaches_another_tenant(redis_url: str) -> None:
    async def cancelled() -> int:
        client = redis.asyncio.Redis.from_url(redis_url, max_connections=1)
        mine, theirs = AsyncTenantCache(client, ACME), AsyncTenantCache(client, GLOBEX)
        await mine.set("a", "mine")
        await theirs.set("a", "theirs")
        stopped = 0
        for number in range(ROUNDS):
            task = asyncio.create_task(theirs.get("a"))
            for _ in range(number % 6):
                await asyncio.sleep(0)
            task.cancel()
            stopped += isinstance(
                (await asyncio.gather(task, return_exceptions=True))[0], BaseException
            )
            assert await mine.get("a") == b"mine"
        await client.aclose()
        return stopped

    assert asyncio.run(cancelled()) > ROUNDS // 10
