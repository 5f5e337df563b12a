"""The shop on every driver."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.runtime.scoping.shop import Shop, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from partywall.servers import Postgres


DRIVERS = ("pysqlite", "aiosqlite", "psycopg", "asyncpg")


@pytest.fixture(scope="module")
def address(postgres15: Postgres) -> Iterator[str]:
    """A database on PostgreSQL for the tests of a module; gone after them."""
    name = f"shop_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres15.url(), autocommit=True) as control:
        control.execute(f"CREATE DATABASE {name} STRATEGY file_copy".encode())
        yield postgres15.url(name)
        control.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=DRIVERS)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A shop filled for the test, on every driver in turn."""
    driver: str = request.param
    if "sqlite" in driver:
        url = f"sqlite:///{tmp_path}/shop.db"
    else:
        url = request.getfixturevalue("address").replace("postgresql", f"postgresql+{driver}")
    found = opened(url, asynchronous=driver in {"aiosqlite", "asyncpg"})
    yield found
    found.tenancy.close()
    found.plain.dispose()
