"""A tenant's cache, asked in the same words whether it blocks or is awaited."""

# ruff: noqa: ANN401 - whatever a cache takes and gives

from __future__ import annotations

import asyncio
import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import redis.asyncio
from redis import Redis

from partywall.adapters.redis import AsyncTenantCache, TenantCache
from partywall.context import TenantContext

if TYPE_CHECKING:
    from collections.abc import Iterator

ACME, GLOBEX = TenantContext("acme", "ann"), TenantContext("acme:eu", "bob")
"""One's id begins the other's."""


class Awaited:
    """An async object whose methods block."""

    def __init__(self, runner: asyncio.Runner, inner: Any) -> None:
        self._runner, self._inner = runner, inner

    def __getattr__(self, name: str) -> Any:
        return self._blocking(getattr(self._inner, name))

    def __enter__(self) -> Any:
        entered = self._runner.run(waited(self._inner.__aenter__()))
        return self if entered is self._inner else entered

    def __exit__(self, *error: object) -> Any:
        return self._runner.run(waited(self._inner.__aexit__(*error)))

    def _blocking(self, found: Any) -> Any:
        if not callable(found):
            return found

        def called(*args: Any, **kwargs: Any) -> Any:
            answer = found(*args, **kwargs)
            if inspect.isasyncgen(answer):
                return self._runner.run(collected(answer))
            if inspect.isawaitable(answer):
                return self._runner.run(waited(answer))
            return Awaited(self._runner, answer) if hasattr(answer, "__aenter__") else answer

        return called


async def waited(awaitable: Any) -> Any:
    return await awaitable


async def collected(generator: Any) -> list[Any]:
    return [each async for each in generator]


class Caches:
    """Makes caches of tenants, over one client."""

    def __init__(self, url: str, protocol: int, runner: asyncio.Runner | None) -> None:
        self.plain = Redis.from_url(url, protocol=protocol)
        self.runner = runner
        self.client: Any = self.plain
        if runner is not None:
            self.client = redis.asyncio.Redis.from_url(url, protocol=protocol)

    def __call__(self, context: TenantContext, **options: Any) -> Any:
        if self.runner is None:
            return TenantCache(self.client, context, **options)
        return Awaited(self.runner, AsyncTenantCache(self.client, context, **options))

    def function(self, answer: Any) -> Any:
        """A function that answers so, or raises it, for `get_or_compute`."""

        def computed() -> Any:
            if isinstance(answer, BaseException):
                raise answer
            return answer() if callable(answer) else answer

        async def awaited() -> Any:
            return computed()

        return computed if self.runner is None else awaited


@contextmanager
def caches_of(url: str, kind: str) -> Iterator[Caches]:
    """Caches over *url*; *kind* is `sync` or `async`, and the protocol's version."""
    way, version = kind.split()
    with asyncio.Runner() as runner:
        found = Caches(url, int(version), runner if way == "async" else None)
        try:
            yield found
        finally:
            found.plain.close()
            if way == "async":
                runner.run(found.client.aclose())
