"""Stores in memory and over Redis, blocking and awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.adapters.caching.stores import KINDS, stores_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.adapters.caching.stores import Stores


@pytest.fixture
def redis_url(redis_url: str) -> str:
    """An empty Redis, whose clients have patience with a machine that has much to do."""
    return f"{redis_url}?socket_timeout=120"


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest, redis_url: str) -> Iterator[Stores]:
    """A store, whatever is beneath."""
    with stores_of(request.param, redis_url) as found:
        yield found
