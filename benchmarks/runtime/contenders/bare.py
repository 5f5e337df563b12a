"""The same work without tenancy: SQLAlchemy as it comes, and psycopg in SQLAlchemy's pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from benchmarks.runtime.contenders.mapped import Bare, Note
from benchmarks.runtime.tenants import tenant

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

SIZE = 10
"""Of every contender's pool."""

QUERIES = {
    "rows": "SELECT body FROM rows_bare WHERE tenant_id = %s AND id = %s",
    "schemas": "SELECT body FROM notes WHERE id = %s",
}


def pooled(url: str, driver: str) -> dict[str, Any]:
    """Arguments of `create_engine` for the pool that partywall has too."""
    return {
        "url": url.replace("postgresql://", f"postgresql+{driver}://"),
        "pool_size": SIZE,
        "max_overflow": 0,
        "pool_use_lifo": True,
    }


class Sync:
    """A session of SQLAlchemy."""

    def __init__(self, url: str, model: str, driver: str = "psycopg") -> None:
        self.options, self.model = pooled(url, driver), model

    def open(self) -> None:
        """Make an engine."""
        self.engine = create_engine(**self.options)

    def unit(self, number: int, key: int) -> str:
        """The unit of work."""
        with Session(self.engine, expire_on_commit=False) as session:
            if self.model == "rows":
                body = session.get_one(Bare, (tenant(number), key)).body
            else:
                body = session.get_one(Note, key).body
            session.commit()
            return body

    def close(self) -> None:
        """Close the pool."""
        self.engine.dispose()


class Async:
    """A session of SQLAlchemy, for async code."""

    engine: AsyncEngine

    def __init__(self, url: str, model: str, driver: str) -> None:
        self.options, self.model = pooled(url, driver), model

    def open(self) -> None:
        """Make an engine."""
        self.engine = create_async_engine(**self.options)

    async def unit(self, number: int, key: int) -> str:
        """The unit of work."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            if self.model == "rows":
                body = (await session.get_one(Bare, (tenant(number), key))).body
            else:
                body = (await session.get_one(Note, key)).body
            await session.commit()
            return body

    async def close(self) -> None:
        """Close the pool."""
        await self.engine.dispose()


class Plain:
    """psycopg alone, its connections in a pool of SQLAlchemy's, where partywall's are too."""

    def __init__(self, url: str, model: str, driver: str = "psycopg") -> None:
        del driver
        self.url, self.model = url, model

    def connect(self) -> Any:  # noqa: ANN401 - SQLAlchemy's type for a driver's connection fits none
        """A connection for the pool."""
        return psycopg.connect(self.url)

    def open(self) -> None:
        """Make a pool."""
        self.pool = QueuePool(self.connect, pool_size=SIZE, max_overflow=0, use_lifo=True)

    def unit(self, number: int, key: int) -> str:
        """The unit of work."""
        taken = self.pool.connect()
        connection: Any = taken.driver_connection
        values = (tenant(number), key) if self.model == "rows" else (key,)
        (body,) = connection.execute(QUERIES[self.model], values).fetchone()
        connection.commit()
        taken.close()
        return str(body)

    def close(self) -> None:
        """Close the pool."""
        self.pool.dispose()
