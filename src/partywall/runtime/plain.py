"""A driver's own connection, lent to one tenant: psycopg without SQLAlchemy on top."""

from __future__ import annotations

from collections import deque
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from partywall.errors import TenantMismatch, WallError
from partywall.runtime.forks import hold
from partywall.runtime.overlap import async_collect, collect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractContextManager

    from psycopg.abc import Params
    from psycopg.sql import SQL, Composed

    from partywall.context import TenantContext
    from partywall.runtime.lease import Lease

    Statement = str | bytes | SQL | Composed

LENT = "partywall_lease"
"""The attribute of a psycopg connection that says to whom it is lent now."""

STALE = (
    "this cursor was opened for another tenant, or for nobody: "
    "open it where it is used, in the block of tenancy.connection(context)"
)


def forget(connection: Any) -> None:
    """Have psycopg forget what it has prepared, since the server is told to, and who listens.

    A notification that one tenant left unread is in libpq's queue, or in psycopg's.
    """
    # psycopg offers no way that costs no round trip.
    known = connection._prepared  # noqa: SLF001 - as above
    anew = type(known)()
    anew.prepare_threshold, anew.prepared_max = known.prepare_threshold, known.prepared_max
    connection._prepared = anew  # noqa: SLF001 - as above
    while connection.pgconn.notifies() is not None:
        pass
    connection._notifies_backlog = deque()  # noqa: SLF001 - as above
    connection._notify_handlers.clear()  # noqa: SLF001 - as above
    del connection._notice_handlers[1:]  # noqa: SLF001 - the first is SQLAlchemy's, for its log


def lent_to(connection: object) -> Lease | None:
    """To whom the connection of a driver is lent now."""
    return getattr(connection, LENT, None)


class Leased:
    """What psycopg's cursors gain: they work only for the lease under which they were opened."""

    def __init__(self, connection: Any, *args: Any, **options: Any) -> None:
        self._lent_to = lent_to(connection)
        super().__init__(connection, *args, **options)  # type: ignore[call-arg]  # a mixin

    def _hold(self) -> None:
        """Refuse to work for anybody else.

        Raises:
            TenantMismatch: when the connection is lent to another tenant by now, or to nobody.
            WallError: when it is that of a fork's parent.
        """
        hold(self.connection)  # type: ignore[attr-defined]  # a mixin
        if lent_to(self.connection) is not self._lent_to:  # type: ignore[attr-defined]  # a mixin
            raise TenantMismatch(STALE)

    def _ready(self) -> None:
        """Hold, and have entered the tenant, before anything is sent."""
        self._hold()
        collect(self.connection)  # type: ignore[attr-defined]  # a mixin

    async def _async_ready(self) -> None:
        """As `_ready`, for async code."""
        self._hold()
        await async_collect(self.connection)  # type: ignore[attr-defined]  # a mixin


class LeasedCursor(Leased, psycopg.Cursor[Any]):
    """A cursor of `psycopg.Connection`."""

    def execute(self, *args: Any, **options: Any) -> LeasedCursor:
        """As psycopg's, for the tenant it was opened for."""
        self._ready()
        super().execute(*args, **options)
        return self

    def executemany(self, *args: Any, **options: Any) -> None:
        """As psycopg's, for the tenant it was opened for."""
        self._ready()
        super().executemany(*args, **options)

    def stream(self, *args: Any, **options: Any) -> Iterator[Any]:
        """As psycopg's, for the tenant it was opened for; nothing is sent before it is read."""
        self._ready()
        yield from super().stream(*args, **options)

    @contextmanager
    def copy(self, *args: Any, **options: Any) -> Iterator[psycopg.Copy]:
        """As psycopg's, for the tenant it was opened for; nothing is sent before it is entered."""
        self._ready()
        with super().copy(*args, **options) as copy:
            yield copy


class LeasedAsyncCursor(Leased, psycopg.AsyncCursor[Any]):
    """A cursor of `psycopg.AsyncConnection`."""

    async def execute(self, *args: Any, **options: Any) -> LeasedAsyncCursor:
        """As psycopg's, for the tenant it was opened for."""
        await self._async_ready()
        await super().execute(*args, **options)
        return self

    async def executemany(self, *args: Any, **options: Any) -> None:
        """As psycopg's, for the tenant it was opened for."""
        await self._async_ready()
        await super().executemany(*args, **options)

    async def stream(self, *args: Any, **options: Any) -> AsyncIterator[Any]:
        """As psycopg's, for the tenant it was opened for; nothing is sent before it is read."""
        await self._async_ready()
        async with aclosing(super().stream(*args, **options)) as rows:  # type: ignore[type-var]  # a generator
            async for row in rows:
                yield row

    @asynccontextmanager
    async def copy(self, *args: Any, **options: Any) -> AsyncIterator[psycopg.AsyncCopy]:
        """As psycopg's, for the tenant it was opened for; nothing is sent before it is entered."""
        await self._async_ready()
        async with super().copy(*args, **options) as copy:
            yield copy


class LeasedServerCursor(Leased, psycopg.ServerCursor[Any]):
    """A named cursor of `psycopg.Connection`, whose rows stay with the server until fetched."""

    def execute(self, *args: Any, **options: Any) -> LeasedServerCursor:
        """As psycopg's, for the tenant it was opened for."""
        self._ready()
        super().execute(*args, **options)
        return self

    def fetchone(self) -> Any:
        """As psycopg's, for the tenant it was opened for."""
        self._ready()
        return super().fetchone()

    def fetchmany(self, size: int = 0) -> list[Any]:
        """As psycopg's, for the tenant it was opened for."""
        self._ready()
        return super().fetchmany(size)

    def fetchall(self) -> list[Any]:
        """As psycopg's, for the tenant it was opened for."""
        self._ready()
        return super().fetchall()

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # the cursor itself, or as here
        """The rows, fetched `itersize` at a time."""
        while rows := self.fetchmany(self.itersize):
            yield from rows

    def __next__(self) -> Any:
        """The next row."""
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    def scroll(self, *args: Any, **options: Any) -> None:
        """As psycopg's, for the tenant it was opened for."""
        self._ready()
        super().scroll(*args, **options)

    def close(self) -> None:
        """As psycopg's: another tenant's cursor may have the same name by now."""
        self._ready()
        super().close()


class LeasedAsyncServerCursor(Leased, psycopg.AsyncServerCursor[Any]):
    """A named cursor of `psycopg.AsyncConnection`."""

    async def execute(self, *args: Any, **options: Any) -> LeasedAsyncServerCursor:
        """As psycopg's, for the tenant it was opened for."""
        await self._async_ready()
        await super().execute(*args, **options)
        return self

    async def fetchone(self) -> Any:
        """As psycopg's, for the tenant it was opened for."""
        await self._async_ready()
        return await super().fetchone()

    async def fetchmany(self, size: int = 0) -> list[Any]:
        """As psycopg's, for the tenant it was opened for."""
        await self._async_ready()
        return await super().fetchmany(size)

    async def fetchall(self) -> list[Any]:
        """As psycopg's, for the tenant it was opened for."""
        await self._async_ready()
        return await super().fetchall()

    async def __aiter__(self) -> AsyncIterator[Any]:  # type: ignore[override]  # the cursor itself, or as here
        """The rows, fetched `itersize` at a time."""
        while rows := await self.fetchmany(self.itersize):
            for row in rows:
                yield row

    async def __anext__(self) -> Any:
        """The next row."""
        row = await self.fetchone()
        if row is None:
            raise StopAsyncIteration
        return row

    async def scroll(self, *args: Any, **options: Any) -> None:
        """As psycopg's, for the tenant it was opened for."""
        await self._async_ready()
        await super().scroll(*args, **options)

    async def close(self) -> None:
        """As psycopg's: another tenant's cursor may have the same name by now."""
        await self._async_ready()
        await super().close()


def equip(connection: Any) -> None:
    """Have every cursor of a new connection hold to the lease under which it is opened."""
    if isinstance(connection, psycopg.AsyncConnection):
        connection.cursor_factory = LeasedAsyncCursor
        connection.server_cursor_factory = LeasedAsyncServerCursor
    else:
        connection.cursor_factory = LeasedCursor
        connection.server_cursor_factory = LeasedServerCursor


class _Plain:
    """What the sync and the async form share: for whom, and until when."""

    def __init__(self, connection: Any, lease: Lease) -> None:
        self._connection: Any | None = connection
        self._lease = lease

    @property
    def context(self) -> TenantContext:
        """The tenant of this connection."""
        assert self._lease.context is not None  # noqa: S101 - no plain connection sees all
        return self._lease.context

    def end(self) -> None:
        """Let go of the driver's connection: it may be lent to another tenant next."""
        self._connection = None

    @property
    def _own(self) -> Any:
        if self._connection is None:
            raise WallError(
                "this connection's block has ended, and the driver's connection may be another "
                "tenant's by now: use it inside of `with tenancy.connection(context)`"
            )
        return self._connection


class TenantConnection(_Plain):
    """A `psycopg.Connection` in one transaction of the tenant; the block commits it.

    It offers what belongs to the transaction: no commit, no close, no autocommit.
    """

    def execute(
        self, query: Statement, params: Params | None = None, **options: Any
    ) -> psycopg.Cursor[Any]:
        """As `psycopg.Connection.execute`."""
        cursor: psycopg.Cursor[Any] = self._own.execute(query, params, **options)
        return cursor

    def cursor(self, name: str = "", **options: Any) -> psycopg.Cursor[Any]:
        """As `psycopg.Connection.cursor`; with a name, a cursor of the server."""
        cursor: psycopg.Cursor[Any] = self._own.cursor(name, **options)
        return cursor

    def transaction(self) -> AbstractContextManager[psycopg.Transaction]:
        """A savepoint, as `psycopg.Connection.transaction` makes one within a transaction."""
        collect(self._own)
        savepoint: AbstractContextManager[psycopg.Transaction] = self._own.transaction()
        return savepoint

    def pipeline(self) -> AbstractContextManager[psycopg.Pipeline]:
        """As `psycopg.Connection.pipeline`."""
        collect(self._own)
        pipeline: AbstractContextManager[psycopg.Pipeline] = self._own.pipeline()
        return pipeline


class AsyncTenantConnection(_Plain):
    """A `psycopg.AsyncConnection` in one transaction of the tenant; the block commits it."""

    async def execute(
        self, query: Statement, params: Params | None = None, **options: Any
    ) -> psycopg.AsyncCursor[Any]:
        """As `psycopg.AsyncConnection.execute`."""
        cursor: psycopg.AsyncCursor[Any] = await self._own.execute(query, params, **options)
        return cursor

    def cursor(self, name: str = "", **options: Any) -> psycopg.AsyncCursor[Any]:
        """As `psycopg.AsyncConnection.cursor`; with a name, a cursor of the server."""
        cursor: psycopg.AsyncCursor[Any] = self._own.cursor(name, **options)
        return cursor

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[psycopg.AsyncTransaction]:
        """A savepoint."""
        await async_collect(self._own)
        async with self._own.transaction() as savepoint:
            yield savepoint

    @asynccontextmanager
    async def pipeline(self) -> AsyncIterator[psycopg.AsyncPipeline]:
        """As `psycopg.AsyncConnection.pipeline`."""
        await async_collect(self._own)
        async with self._own.pipeline() as pipeline:
            yield pipeline
