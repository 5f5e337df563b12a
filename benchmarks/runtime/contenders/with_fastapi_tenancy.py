"""The same work with fastapi-tenancy: row security by a setting, or a schema for each tenant.

Installed in the peers' environment only: type checkers see `Any`.

Its providers are what its FastAPI dependency yields sessions from. They are given the engine, as
its store would give them one, without the `SELECT 1` before every session that its own has.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from fastapi_tenancy.core.config import TenancyConfig  # type: ignore[import-not-found]
from fastapi_tenancy.core.types import IsolationStrategy, Tenant  # type: ignore[import-not-found]
from fastapi_tenancy.isolation.rls import RLSIsolationProvider  # type: ignore[import-not-found]
from fastapi_tenancy.isolation.schema import SchemaIsolationProvider  # type: ignore[import-not-found]
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.runtime.contenders.bare import pooled
from benchmarks.runtime.contenders.mapped import FastapiTenancy, Note
from benchmarks.runtime.tenants import schema, tenant

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


@cache
def known(number: int) -> Tenant:
    """The tenant as this library's resolver would find it."""
    return Tenant(
        id=tenant(number),
        identifier=f"tenant-{number}",
        name=f"Tenant {number}",
        schema_name=schema(number),
    )


class Async:
    """`get_session` of its provider."""

    engine: AsyncEngine

    def __init__(self, url: str, model: str, driver: str) -> None:
        self.options, self.model = pooled(url, driver), model

    def open(self) -> None:
        """Make an engine and a provider."""
        self.engine = create_async_engine(**self.options)
        rows = self.model == "rows"
        config = TenancyConfig(
            database_url=self.options["url"],
            isolation_strategy=IsolationStrategy.RLS if rows else IsolationStrategy.SCHEMA,
        )
        provider = RLSIsolationProvider if rows else SchemaIsolationProvider
        self.provider = provider(config, engine=self.engine)

    async def unit(self, number: int, key: int) -> str:
        """The unit of work."""
        async with self.provider.get_session(known(number)) as session:
            if self.model == "rows":
                body = (await session.get_one(FastapiTenancy, (tenant(number), key))).body
            else:
                body = (await session.get_one(Note, key)).body
            await session.commit()
            return str(body)

    async def close(self) -> None:
        """Close the pool."""
        await self.engine.dispose()
