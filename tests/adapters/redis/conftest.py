"""Caches of both kinds, over both protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.adapters.redis.caches import caches_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.adapters.redis.caches import Caches


@pytest.fixture
def redis_url(redis_url: str) -> str:
    """An empty Redis, whose clients have patience with a machine that has much to do."""
    return f"{redis_url}?socket_timeout=120"


@pytest.fixture(params=["sync 3", "async 3", "sync 2", "async 2"])
def caches(request: pytest.FixtureRequest, redis_url: str) -> Iterator[Caches]:
    """Makes caches that block, whatever is beneath."""
    with caches_of(redis_url, request.param) as found:
        yield found
