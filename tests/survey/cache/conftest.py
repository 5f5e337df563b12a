from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from redis import Redis

from tests.survey.cache.servers import address

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def cache_url(redis_url: str) -> Iterator[str]:
    """The address of an empty Redis whose default user may be off when the test ends."""
    yield redis_url
    try:
        with Redis.from_url(address(redis_url, "admin")) as client:
            client.acl_setuser("default", enabled=True, nopass=True, commands=["+@all"], keys=["*"])
    except Exception:  # noqa: BLE001 - a test that made no administrator turned nobody off
        return
