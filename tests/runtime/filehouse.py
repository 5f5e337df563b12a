"""Tenants in files, for tests: a house is a folder with an engine for each of them."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine

from partywall.context import TenantContext
from partywall.isolation import FilePerTenant
from partywall.runtime.ground import Terms, walled_engine
from partywall.runtime.housing import provision
from partywall.runtime.lease import KEY, Lease

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

BEGIN = ("BEGIN IMMEDIATE",)
READ_ONLY = ("PRAGMA query_only = ON", "BEGIN")
WRITABLE_AGAIN = ("PRAGMA query_only = OFF",)
TABLES = """
    CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT);
    CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT);
    CREATE VIRTUAL TABLE notes USING fts5 (body);
"""
SYNC_AND_ASYNC = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


def tables(connection: sqlite3.Connection) -> None:
    connection.executescript(TABLES)


class House:
    """Tenants in files, and one engine for each, as a ground makes them."""

    def __init__(self, folder: Path, **options: Any) -> None:  # noqa: ANN401 - FilePerTenant's
        self.model = FilePerTenant(folder=str(folder), **options)
        self.engines: dict[tuple[str, bool], Engine] = {}

    def engine(self, tenant: str, *, asynchronous: bool = False) -> Engine:
        key = tenant, asynchronous
        if key not in self.engines:
            url = URL.create("sqlite", database=self.model.path(tenant))
            terms = Terms(model=self.model, asynchronous=asynchronous, connections=1, timeout_s=5.0)
            self.engines[key] = walled_engine(url, terms)
        return self.engines[key]

    def run(
        self,
        tenant: str,
        *statements: str,
        begin: tuple[str, ...] = BEGIN,
        asynchronous: bool = False,
    ) -> list[tuple[Any, ...]]:
        """Execute statements in one transaction of the tenant; the rows of the last."""
        ending = WRITABLE_AGAIN if begin == READ_ONLY else ()
        lease = Lease(self.model, TenantContext(tenant), begin, ending)
        engine = self.engine(tenant, asynchronous=asynchronous)
        if asynchronous:
            return asyncio.run(self.run_async(engine, lease, statements))
        with engine.connect() as plain:
            connection = plain.execution_options(**{KEY: lease})
            with connection.begin():
                results = [connection.execute(text(each)) for each in statements]
                return [tuple(row) for row in results[-1]] if results[-1].returns_rows else []

    async def run_async(
        self, engine: Engine, lease: Lease, statements: tuple[str, ...]
    ) -> list[tuple[Any, ...]]:
        try:
            async with AsyncEngine(engine).connect() as plain:
                connection = await plain.execution_options(**{KEY: lease})
                async with connection.begin():
                    results = [await connection.execute(text(each)) for each in statements]
                    return [tuple(row) for row in results[-1]] if results[-1].returns_rows else []
        finally:
            await AsyncEngine(engine).dispose()  # the loop ends, and its connections with it

    def dispose(self) -> None:
        for engine in self.engines.values():
            engine.dispose()


@contextmanager
def housed(folder: Path) -> Iterator[House]:
    """A house with acme and globex in it."""
    house = House(folder)
    for tenant in ("acme", "globex"):
        provision(house.model, tenant, tables)
    yield house
    house.dispose()
