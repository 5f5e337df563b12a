"""The same work with sqlalchemy-tenants: row security by a role for each tenant.

Installed in the peers' environment only: type checkers see `Any`.

Its session sends `SET SESSION ROLE` after BEGIN. It never sets the role back.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy_tenants.aio.managers import PostgresManager as AsyncPostgresManager  # type: ignore[import-not-found]
from sqlalchemy_tenants.managers import PostgresManager  # type: ignore[import-not-found]

from benchmarks.runtime.contenders.bare import pooled
from benchmarks.runtime.contenders.mapped import SqlalchemyTenants
from benchmarks.runtime.tenants import tenant

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine


@cache
def identifier(number: int) -> UUID:
    """The tenant as this library takes it."""
    return UUID(tenant(number))


class Sync:
    """`new_tenant_session` of its sync manager."""

    engine: Engine

    def __init__(self, url: str, model: str, driver: str) -> None:
        del model
        self.options = pooled(url, driver)

    def open(self) -> None:
        """Make an engine and a manager."""
        self.engine = create_engine(**self.options)
        self.manager = PostgresManager.from_engine(self.engine, schema_name="public")

    def unit(self, number: int, key: int) -> str:
        """The unit of work."""
        with self.manager.new_tenant_session(identifier(number)) as session:
            body = session.get_one(SqlalchemyTenants, (tenant(number), key)).body
            session.commit()
            return str(body)

    def close(self) -> None:
        """Close the pool."""
        self.engine.dispose()


class Async:
    """`new_tenant_session` of its async manager."""

    engine: AsyncEngine

    def __init__(self, url: str, model: str, driver: str) -> None:
        del model
        self.options = pooled(url, driver)

    def open(self) -> None:
        """Make an engine and a manager."""
        self.engine = create_async_engine(**self.options)
        self.manager = AsyncPostgresManager.from_engine(self.engine, schema_name="public")

    async def unit(self, number: int, key: int) -> str:
        """The unit of work."""
        async with self.manager.new_tenant_session(identifier(number)) as session:
            body = (await session.get_one(SqlalchemyTenants, (tenant(number), key))).body
            await session.commit()
            return str(body)

    async def close(self) -> None:
        """Close the pool."""
        await self.engine.dispose()
