"""Lend a driver's own connection to one tenant for one transaction."""

from __future__ import annotations

from contextlib import AbstractContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy.util import greenlet_spawn

from partywall.errors import ConfigurationError
from partywall.runtime.dialects import WalledAsyncPsycopg, WalledPsycopg
from partywall.runtime.lease import KEY
from partywall.runtime.plain import AsyncTenantConnection, TenantConnection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import Engine
    from sqlalchemy.pool import PoolProxiedConnection

    from partywall.runtime.lease import Lease

ANALYSED = "partywall_analysed"
"""The attribute of an engine's dialect that says: only analysed statements may be sent."""


def speaking(engine: Engine, dialect: type[Any]) -> None:
    """Make sure that the driver is psycopg, and that its own cursors may be used.

    Raises:
        ConfigurationError: when it is another, or where statements are analysed before they are
            sent (`ScopedQueries`), which those of its own cursors would not be.
    """
    if getattr(engine.dialect, ANALYSED, False):
        raise ConfigurationError(
            "ScopedQueries analyses what goes through SQLAlchemy, and a plain connection or a "
            "batch goes round it: use tenancy.session(context) or tenancy.connection(context)"
        )
    if not isinstance(engine.dialect, dialect):
        raise ConfigurationError(
            f"plain connections and batches are psycopg's, and {engine.dialect.driver} is another "
            "driver: begin the url with postgresql+psycopg://"
        )


def borrowed(engine: Engine, lease: Lease) -> PoolProxiedConnection:
    """A connection of the pool in a transaction of the lease's tenant."""
    taken = engine.raw_connection()
    try:
        taken.info[KEY] = lease
        engine.dialect.do_begin(taken)
    except BaseException:
        taken.close()
        raise
    return taken


def spoilt(error: BaseException | None) -> bool:
    """Whether *error* leaves a connection that nobody else should have."""
    return not isinstance(error, Exception) or isinstance(
        error, psycopg.errors.InvalidSqlStatementName
    )


class PlainBlock(AbstractContextManager[TenantConnection]):
    """The block of `with tenancy.plain(context)`: committed at its end."""

    __slots__ = ("_connection", "_engine", "_lease", "_taken")

    def __init__(self, engine: Engine, lease: Lease) -> None:
        speaking(engine, WalledPsycopg)
        self._engine, self._lease = engine, lease

    def __enter__(self) -> TenantConnection:
        """Psycopg's connection, in a transaction of the tenant."""
        self._taken = borrowed(self._engine, self._lease)
        self._connection = TenantConnection(self._taken.driver_connection, self._lease)
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        """Commit, roll back, or throw the connection away, as `SessionBlock` does."""
        self._connection.end()
        try:
            if kind is None:
                self._engine.dialect.do_commit(self._taken)
            elif spoilt(error):
                self._taken.invalidate()
        finally:
            self._taken.close()


@asynccontextmanager
async def async_lent(engine: Engine, lease: Lease) -> AsyncIterator[AsyncTenantConnection]:
    """As `PlainBlock`, for async code."""
    speaking(engine, WalledAsyncPsycopg)
    taken = await greenlet_spawn(borrowed, engine, lease)
    connection = AsyncTenantConnection(taken.driver_connection, lease)
    try:
        yield connection
        await greenlet_spawn(engine.dialect.do_commit, taken)
    except BaseException as error:
        if spoilt(error):
            await greenlet_spawn(taken.invalidate)
        raise
    finally:
        connection.end()
        await greenlet_spawn(taken.close)
