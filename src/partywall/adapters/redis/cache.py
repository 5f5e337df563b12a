"""One tenant's part of a Redis, for code that blocks."""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from redis import Redis, RedisCluster
from redis.exceptions import WatchError

from partywall.adapters.caching.answering import BlockingAnswers
from partywall.adapters.caching.sharing import Compute, Wait
from partywall.adapters.redis.calls import Batch, Call
from partywall.adapters.redis.listening import Subscription
from partywall.adapters.redis.pipeline import Pipeline, read
from partywall.adapters.redis.works import Works

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Self


class TenantCache(Works[Redis | RedisCluster], BlockingAnswers):
    """One tenant's part of a Redis; a value to make for each request, and to pass on.

    Args:
        redis: the client, which the caller closes; it gives bytes.
        context: the tenant.
        namespace: which application, where several share a server.
        sealing: encrypts values, each for its tenant and its name.
        counts: where hits and misses are counted.

    Raises:
        MissingTenant: without a context.
        ConfigurationError: when *namespace* can't be one, or the client was made with
            `decode_responses=True`.
    """

    def perform(self, call: Call[Any]) -> Any:
        """Send one command."""
        return call.read(self.redis.execute_command(*call.arguments))

    def scan(self, match: str = "*") -> Iterator[str]:
        """The names that match a pattern of Redis's, page by page; one may come twice.

        Raises:
            ConfigurationError: when the login may not SCAN.
        """
        cursor: object = 0
        while cursor is not None:
            cursor, found = self.drive(self._page(self.space.pattern(match), cursor))
            yield from map(self.space.name, found)

    @contextmanager
    def lock(self, name: str, *, ttl_s: float, wait_s: float = 0.0) -> Iterator[None]:
        """Let nobody else of the tenant into a block that has a lock of this name.

        Args:
            name: of the lock; not that of a value.
            ttl_s: when it ends though the block has not: a process that died holds it no longer.
            wait_s: how long to wait for it.

        Raises:
            redis.exceptions.LockError: when somebody else held it for so long.
            redis.exceptions.LockNotOwnedError: after the block, when it lasted longer than *ttl_s*.
        """
        key, token = self.space.own("lock", name), secrets.token_bytes(16)
        self.drive(self._take_lock(key, token, ttl_s, wait_s))
        try:
            yield
        except BaseException:
            self.drive(self._end_lock(key, token, strictly=False))
            raise
        self.drive(self._end_lock(key, token, strictly=True))

    def pipeline(self, *, atomic: bool = True, watch: Sequence[str] = ()) -> TenantPipeline:
        """Many commands in one round trip.

        Args:
            atomic: as one transaction (MULTI).
            watch: `execute` raises `redis.exceptions.WatchError` when one of these names has
                changed since the block began.
        """
        return TenantPipeline(self, atomic=atomic or bool(watch), watch=watch)

    def subscribe(self, channel: str, *channels: str) -> Subscription:
        """Listen to channels, within a `with` block."""
        return Subscription(self.redis, self.space, (channel, *channels), patterns=())

    def psubscribe(self, pattern: str, *patterns: str) -> Subscription:
        """Listen to the channels that match patterns of Redis's, within a `with` block."""
        return Subscription(self.redis, self.space, (), patterns=(pattern, *patterns))

    def _take(self, step: object, compute: Callable[[], Any] | None) -> Any:
        match step:
            case Call():
                options = self._options(step)
                return step.read(self.redis.execute_command(*step.arguments, **options))
            case Batch():
                return self._batch(step)
            case Wait(seconds):
                time.sleep(seconds)
                return None
            case Compute() if compute is not None:
                return compute()
            case _:
                raise TypeError(f"{step!r} is no step")

    def _batch(self, batch: Batch) -> Any:
        with self.redis.pipeline(transaction=batch.watched is not None) as pipe:
            if batch.watched is not None:
                pipe.watch(batch.watched)
                if pipe.get(batch.watched) != batch.expected:
                    return None
                pipe.multi()
            for call in batch.calls:
                pipe.execute_command(*call.arguments)
            try:
                return batch.answer(pipe.execute())
            except WatchError:
                return None

    def __repr__(self) -> str:
        """Tell the tenant."""
        return f"<TenantCache of {self.space.tenant_id}>"


class TenantPipeline(Pipeline):
    """Commands of one tenant that are sent together: the methods of the cache, which answer None.

    Use it in a `with` block; `execute` sends, and what was not sent is forgotten.
    """

    def execute(self) -> list[Any]:
        """Send all; the answers, each as the cache's method has it.

        Raises:
            redis.exceptions.WatchError: when a watched name has changed; nothing was done.
        """
        reads = self._taken()
        return read(reads, self._pipe.execute())

    def __enter__(self) -> Self:
        """Begin to watch."""
        if self._watched:
            self._pipe.watch(*self._watched)
            self._pipe.multi()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the connection back."""
        self._pipe.reset()
