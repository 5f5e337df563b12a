"""One tenant's part of a Redis, for code in an event loop: `cache`, awaited."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import WatchError

from partywall.adapters.caching.answering import AwaitedAnswers
from partywall.adapters.caching.sharing import Compute, Wait
from partywall.adapters.redis.calls import Batch, Call
from partywall.adapters.redis.listening import AsyncSubscription
from partywall.adapters.redis.pipeline import Pipeline, read
from partywall.adapters.redis.works import Works

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from typing import Self


class AsyncTenantCache(Works[Redis | RedisCluster], AwaitedAnswers):
    """As `TenantCache`, over a client of `redis.asyncio`; the methods are awaited."""

    async def perform(self, call: Call[Any]) -> Any:
        """Send one command."""
        return call.read(await self.redis.execute_command(*call.arguments))

    async def scan(self, match: str = "*") -> AsyncIterator[str]:
        """As `TenantCache.scan`."""
        cursor: object = 0
        while cursor is not None:
            cursor, found = await self.drive(self._page(self.space.pattern(match), cursor))
            for key in found:
                yield self.space.name(key)

    @asynccontextmanager
    async def lock(self, name: str, *, ttl_s: float, wait_s: float = 0.0) -> AsyncIterator[None]:
        """As `TenantCache.lock`."""
        key, token = self.space.own("lock", name), secrets.token_bytes(16)
        await self.drive(self._take_lock(key, token, ttl_s, wait_s))
        try:
            yield
        except BaseException:
            await self.drive(self._end_lock(key, token, strictly=False))
            raise
        await self.drive(self._end_lock(key, token, strictly=True))

    def pipeline(self, *, atomic: bool = True, watch: Sequence[str] = ()) -> AsyncTenantPipeline:
        """As `TenantCache.pipeline`, for `async with`."""
        return AsyncTenantPipeline(self, atomic=atomic or bool(watch), watch=watch)

    def subscribe(self, channel: str, *channels: str) -> AsyncSubscription:
        """Listen to channels, within an `async with` block."""
        return AsyncSubscription(self.redis, self.space, (channel, *channels), patterns=())

    def psubscribe(self, pattern: str, *patterns: str) -> AsyncSubscription:
        """Listen to the channels that match patterns of Redis's, within an `async with` block."""
        return AsyncSubscription(self.redis, self.space, (), patterns=(pattern, *patterns))

    async def _take(self, step: object, compute: Callable[[], Any] | None) -> Any:
        match step:
            case Call():
                options = self._options(step)
                return step.read(await self.redis.execute_command(*step.arguments, **options))
            case Batch():
                return await self._batch(step)
            case Wait(seconds):
                return await asyncio.sleep(seconds)
            case Compute() if compute is not None:
                return await compute()
            case _:
                raise TypeError(f"{step!r} is no step")

    async def _batch(self, batch: Batch) -> Any:
        async with self.redis.pipeline(transaction=batch.watched is not None) as pipe:
            if batch.watched is not None:
                await pipe.watch(batch.watched)
                if await pipe.get(batch.watched) != batch.expected:
                    return None
                pipe.multi()
            for call in batch.calls:
                pipe.execute_command(*call.arguments)
            try:
                return batch.answer(await pipe.execute())
            except WatchError:
                return None

    def __repr__(self) -> str:
        """Tell the tenant."""
        return f"<AsyncTenantCache of {self.space.tenant_id}>"


class AsyncTenantPipeline(Pipeline):
    """As `TenantPipeline`, in an `async with` block: `execute` is awaited, the commands are not."""

    async def execute(self) -> list[Any]:
        """As `TenantPipeline.execute`."""
        reads = self._taken()
        return read(reads, await self._pipe.execute())

    async def __aenter__(self) -> Self:
        """Begin to watch."""
        if self._watched:
            await self._pipe.watch(*self._watched)
            self._pipe.multi()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give the connection back."""
        await self._pipe.reset()
