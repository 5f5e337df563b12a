"""One tenant's part of a Redis, for code in an event loop: `cache`, awaited."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from redis.exceptions import WatchError

from partywall.adapters.caching.flight import Terms, flight
from partywall.adapters.caching.sharing import Awaiting, Compute, Wait
from partywall.adapters.caching.values import encoded
from partywall.adapters.redis.calls import Batch, Call, Queueing
from partywall.adapters.redis.commands import Commands
from partywall.adapters.redis.keyspace import Keyspace, Sealing
from partywall.adapters.redis.listening import AsyncSubscription
from partywall.adapters.redis.works import RedisDesk, Works, require_bytes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from typing import Self

    from redis.asyncio import Redis, RedisCluster

    from partywall.adapters.caching.counts import Counts
    from partywall.adapters.caching.values import Value
    from partywall.context import TenantContext


class AsyncTenantCache(Works, Awaiting):
    """As `TenantCache`, over a client of `redis.asyncio`; the methods are awaited."""

    def __init__(
        self,
        redis: Redis | RedisCluster,
        context: TenantContext,
        *,
        namespace: str = "pw",
        sealing: Sealing | None = None,
        counts: Counts | None = None,
    ) -> None:
        require_bytes(redis)
        self.redis = redis
        self.space = Keyspace(context, namespace, sealing)
        self.counts = counts

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

    async def get_or_compute(
        self,
        key: str,
        compute: Callable[[], Awaitable[Value]],
        *,
        ttl_s: float,
        stale_s: float = 0.0,
        lock_s: float = 10.0,
        group: str = "",
    ) -> bytes:
        """As `TenantCache.get_or_compute`; *compute* is awaited."""

        async def computed() -> bytes:
            return encoded(await compute())

        terms = Terms(ttl_s, stale_s, lock_s, group).checked()
        steps = flight(RedisDesk(self.space, key, terms), lock_s)
        value, hit = await self.drive(steps, computed)
        if self.counts is not None:
            self.counts.count(self.space.tenant_id, hit=hit)
        return value

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


class AsyncTenantPipeline(Commands, Queueing):
    """As `TenantPipeline`, in an `async with` block: `execute` is awaited, the commands are not."""

    def __init__(self, cache: AsyncTenantCache, *, atomic: bool, watch: Sequence[str]) -> None:
        self.space, self.counts = cache.space, cache.counts
        self._pipe = cache.redis.pipeline(transaction=atomic)
        self._watched = [self.space.key(name) for name in watch]
        self._reads: list[Callable[[Any], Any]] = []

    def perform(self, call: Call[Any]) -> None:
        """Remember a command."""
        self._pipe.execute_command(*call.arguments)
        self._reads.append(call.read)

    async def execute(self) -> list[Any]:
        """As `TenantPipeline.execute`."""
        reads, self._reads = self._reads, []
        answers = await self._pipe.execute()
        return [read(answer) for read, answer in zip(reads, answers, strict=True)]

    async def __aenter__(self) -> Self:
        """Begin to watch."""
        if self._watched:
            await self._pipe.watch(*self._watched)
            self._pipe.multi()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give the connection back."""
        await self._pipe.reset()
