"""Blocking calls from async code, each of which has ended when its caller goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

T = TypeVar("T")


async def in_thread(call: Callable[[], T]) -> T:
    """Run *call* in a thread.

    A task that is cancelled waits for the thread before it goes on: what cleans up after it must
    not close a descriptor that the thread still writes to, since its number may be another file's
    by then.
    """
    running = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            try:
                await asyncio.wait({running})
            except asyncio.CancelledError:
                continue  # once more: it ends nothing sooner
        if not running.cancelled():
            running.exception()  # seen; what counts is that it was cancelled
        raise


async def each_in_thread(items: Iterator[T]) -> AsyncGenerator[T, None]:
    """What an iterator gives, each taken in a thread."""
    nothing = object()
    try:
        while (item := await in_thread(lambda: next(items, nothing))) is not nothing:
            yield item  # type: ignore[misc]  # it is no other object
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            await in_thread(close)
