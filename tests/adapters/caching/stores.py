"""Stores of every kind, asked in the same words."""

# ruff: noqa: ANN401 - whatever a cache takes and gives

from __future__ import annotations

import asyncio
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from partywall.adapters.caching import MemoryStore
from tests.adapters.redis.caches import Awaited, caches_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KINDS = ["memory sync", "memory async", "redis sync", "redis async"]


class Stores:
    """A store of one kind, and functions for it."""

    def __init__(self, store: Callable[..., Any], runner: asyncio.Runner | None) -> None:
        self.store, self.runner = store, runner

    def __call__(self, context: Any) -> Any:
        cache = self.store(context)
        return cache if self.runner is None else Awaited(self.runner, cache)

    def function(self, answer: Callable[[], Any]) -> Any:
        """*answer*, async where the store is."""

        async def awaited() -> Any:
            return answer()

        return answer if self.runner is None else awaited


@contextmanager
def stores_of(kind: str, url: str) -> Iterator[Stores]:
    """A store."""
    where, way = kind.split()
    with ExitStack() as stack:
        if where == "memory":
            store = MemoryStore()
            if way == "sync":
                yield Stores(store, None)
            else:
                yield Stores(store.asynchronous, stack.enter_context(asyncio.Runner()))
            return
        from partywall.adapters.redis import AsyncTenantCache, TenantCache  # noqa: PLC0415

        caches = stack.enter_context(caches_of(url, f"{way} 3"))
        kinds: Any = TenantCache if way == "sync" else AsyncTenantCache
        yield Stores(partial(kinds, caches.client), caches.runner)
