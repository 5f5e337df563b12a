"""However many tenants have a file, only so many are open."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from partywall import Tenancy, TenantContext
from partywall.errors import DeletedTenant, UnknownTenant
from partywall.isolation import FilePerTenant
from partywall.runtime.housing import provision, remove

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

TENANTS = [str(number) for number in range(1, 305)]
CONNECTIONS = 8
EACH = 3
"""Files that one connection has open: the database, its log, and the log's index."""

INSERT = text("INSERT INTO orders VALUES (1, :item)")
READ = text("SELECT id, item FROM orders")


def tables(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE orders (id INTEGER, item TEXT)")


@pytest.fixture
def tenancy(tmp_path: Path) -> Iterator[Tenancy]:
    model = FilePerTenant(folder=str(tmp_path / "tenants"), durable=False)
    for tenant in TENANTS:
        provision(model, tenant, tables)
    with Tenancy("sqlite://", model, connections=CONNECTIONS) as tenancy:
        yield tenancy


def folder_of(tenancy: Tenancy) -> str:
    assert isinstance(tenancy.isolation, FilePerTenant)
    return tenancy.isolation.folder


def open_files(folder: str) -> int:
    """How many descriptors of this process lead into *folder*."""
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:  # closed meanwhile by another thread
            continue
        # Not the folders themselves, which SQLite opens for the moment of an fsync.
        found += target.startswith(folder) and ".sqlite" in target
    return found


def test_threads_over_many_tenants_hold_few_files_open(tenancy: Tenancy) -> None:
    folder = folder_of(tenancy)
    counts: list[int] = []
    # As many as may have a connection stand still in it, and the others wait for theirs.
    still = threading.Barrier(CONNECTIONS, lambda: counts.append(open_files(folder)), timeout=30)

    def work(tenant: str) -> None:
        with tenancy.session(TenantContext(tenant)) as session:
            session.execute(INSERT, {"item": tenant})
            still.wait()

    def read(tenant: str) -> list[tuple[object, ...]]:
        with tenancy.session(TenantContext(tenant), read_only=True) as session:
            return [tuple(row) for row in session.execute(READ)]

    with ThreadPoolExecutor(2 * CONNECTIONS) as pool:
        list(pool.map(work, TENANTS))
        rows = list(pool.map(read, TENANTS))
    assert counts == [CONNECTIONS * EACH] * (len(TENANTS) // CONNECTIONS)
    assert rows == [[(1, tenant)] for tenant in TENANTS]


def test_tasks_over_many_tenants_hold_few_files_open(tenancy: Tenancy) -> None:
    folder = folder_of(tenancy)
    counts: list[int] = []

    async def work(tenant: str, still: asyncio.Barrier) -> None:
        async with tenancy.async_session(TenantContext(tenant)) as session:
            await session.execute(INSERT, {"item": tenant})
            if await still.wait() == 0:
                counts.append(open_files(folder))
            await still.wait()
        async with tenancy.async_session(TenantContext(tenant), read_only=True) as session:
            assert [tuple(row) for row in await session.execute(READ)] == [(1, tenant)]

    async def main() -> None:
        for first in range(0, len(TENANTS), CONNECTIONS):
            still = asyncio.Barrier(CONNECTIONS)
            group = TENANTS[first : first + CONNECTIONS]
            async with asyncio.timeout(30):
                await asyncio.gather(*(work(each, still) for each in group))
        await tenancy.async_close()

    asyncio.run(main())
    assert counts == [CONNECTIONS * EACH] * (len(TENANTS) // CONNECTIONS)


def test_a_session_finds_who_is_unknown_and_who_was_deleted(tenancy: Tenancy) -> None:
    with pytest.raises(UnknownTenant), tenancy.session(TenantContext("nobody")) as session:
        session.execute(READ)
    with tenancy.session(TenantContext("1")) as session:
        session.execute(READ)
    assert isinstance(tenancy.isolation, FilePerTenant)
    remove(tenancy.isolation, "1")
    with pytest.raises(DeletedTenant), tenancy.session(TenantContext("1")) as session:
        session.execute(READ)
