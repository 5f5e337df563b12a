"""A whole unit of work in one round trip: `Tenancy.batch`.

BEGIN, the context, the statements and COMMIT travel together in libpq's pipeline mode; their
results are read when the block has ended.
https://www.postgresql.org/docs/current/libpq-pipeline-mode.html
"""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy.util import greenlet_spawn

from partywall.errors import WallError
from partywall.runtime.dialects import WalledAsyncPsycopg, WalledPsycopg
from partywall.runtime.entering import FAILED, Entry, footprint, opening
from partywall.runtime.lease import KEY
from partywall.runtime.lending import speaking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from psycopg.abc import Params
    from psycopg.sql import SQL, Composed
    from sqlalchemy import Engine
    from sqlalchemy.pool import PoolProxiedConnection

    from partywall.runtime.lease import Lease

    Statement = str | bytes | SQL | Composed

ENDED = "this batch has been sent: start another with tenancy.batch(context)"


class Batch:
    """The statements of one transaction; nothing comes back before its block has ended."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection: psycopg.Connection[Any] | None = connection

    def execute(self, query: Statement, params: Params | None = None) -> psycopg.Cursor[Any]:
        """Add a statement; the cursor has its rows once the block has ended."""
        if self._connection is None:
            raise WallError(ENDED)
        return self._connection.execute(query, params)

    def end(self) -> None:
        """Take no more statements."""
        self._connection = None


class AsyncBatch:
    """As `Batch`, for async code."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection: psycopg.AsyncConnection[Any] | None = connection

    async def execute(
        self, query: Statement, params: Params | None = None
    ) -> psycopg.AsyncCursor[Any]:
        """Add a statement; the cursor has its rows once the block has ended."""
        if self._connection is None:
            raise WallError(ENDED)
        return await self._connection.execute(query, params)

    def end(self) -> None:
        """Take no more statements."""
        self._connection = None


@contextmanager
def batched(engine: Engine, lease: Lease) -> Iterator[Batch]:
    """A batch for the lease's tenant, committed at the end of the block."""
    speaking(engine, WalledPsycopg)
    taken = engine.raw_connection()
    connection: psycopg.Connection[Any] = taken.driver_connection  # type: ignore[assignment]  # psycopg's
    batch = Batch(connection)
    entering: list[psycopg.Cursor[Any]] = []
    try:
        first = beginning(engine, taken, lease)
        with connection.pipeline():
            entering += [connection.cursor() for _ in first]
            for cursor, statement in zip(entering, first, strict=True):
                cursor.execute(statement.encode(), prepare=False)
            yield batch
            last = connection.execute("COMMIT", prepare=False)
        settled(engine, taken, last)
    except BaseException as error:
        if not isinstance(error, Exception):
            taken.invalidate()
        elif refused_entry(entering, error):
            Entry(lease, footprint(taken.info)).failed(error)
        raise
    finally:
        batch.end()
        taken.close()


@asynccontextmanager
async def async_batched(engine: Engine, lease: Lease) -> AsyncIterator[AsyncBatch]:
    """As `batched`, for async code."""
    speaking(engine, WalledAsyncPsycopg)
    taken = await greenlet_spawn(engine.raw_connection)
    connection: psycopg.AsyncConnection[Any] = taken.driver_connection  # type: ignore[assignment]  # psycopg's
    batch = AsyncBatch(connection)
    entering: list[psycopg.AsyncCursor[Any]] = []
    try:
        first = await greenlet_spawn(beginning, engine, taken, lease)
        async with connection.pipeline():
            entering += [connection.cursor() for _ in first]
            for cursor, statement in zip(entering, first, strict=True):
                await cursor.execute(statement.encode(), prepare=False)
            yield batch
            last = await connection.execute("COMMIT", prepare=False)
        settled(engine, taken, last)
    except BaseException as error:
        if not isinstance(error, Exception):
            await greenlet_spawn(taken.invalidate)
        elif refused_entry(entering, error):
            Entry(lease, footprint(taken.info)).failed(error)
        raise
    finally:
        batch.end()
        await greenlet_spawn(taken.close)


def beginning(engine: Engine, taken: PoolProxiedConnection, lease: Lease) -> tuple[str, ...]:
    """The statements that begin and enter, for a connection that is now lent."""
    taken.info[KEY] = lease
    dialect: Any = engine.dialect
    seen = footprint(taken.info)
    try:
        first = opening(dialect, taken.dbapi_connection, seen, lease)
    except BaseException:
        seen.poisoned = True
        raise
    return first


def refused_entry(
    entering: list[psycopg.Cursor[Any]] | list[psycopg.AsyncCursor[Any]], error: Exception
) -> bool:
    """Whether *error* is the server's answer to one of the statements that enter."""
    return isinstance(error, psycopg.Error) and bool(entering) and entering[-1].pgresult is None


def settled(engine: Engine, taken: PoolProxiedConnection, last: Any) -> None:
    """Check in without waiting: the server is done with it before anybody borrows the connection.

    A sealed context needs the answer, and a pooler might give it another server session: those
    check in when the connection goes back to the pool.

    Raises:
        WallError: when an error was swallowed within the block: then nothing was committed.
    """
    if last.statusmessage != "COMMIT":
        raise WallError(FAILED)
    dialect: Any = engine.dialect
    seen = footprint(taken.info)
    lease: Lease = taken.info[KEY]
    if not (lease.model.challenge or dialect.pooled_per_transaction):
        dialect.post(taken.dbapi_connection, dialect.check_in)
        seen.dirty, seen.pending = False, True
