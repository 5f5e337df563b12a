"""PostgreSQL through asyncpg."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects.postgresql.asyncpg import (
    AsyncAdapt_asyncpg_ss_cursor,
    PGDialect_asyncpg,
    PGExecutionContext_asyncpg,
)

from partywall.errors import TenantMismatch
from partywall.runtime.dialects.walled import Walled

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.pool import PoolProxiedConnection


class HeldStream(AsyncAdapt_asyncpg_ss_cursor):
    """A stream of asyncpg that reads only while its connection is borrowed for it."""

    def __init__(self, connection: Any, borrowed: PoolProxiedConnection) -> None:
        super().__init__(connection)  # type: ignore[no-untyped-call]  # SQLAlchemy's has no types
        self._borrowed = borrowed

    def _hold(self) -> None:
        if not self._borrowed.is_valid:
            raise TenantMismatch(
                "this stream belongs to a block that has ended, and its connection may be another "
                "tenant's by now: read it inside of its block"
            )

    def fetchone(self) -> Any:
        """As SQLAlchemy's."""
        self._hold()
        return super().fetchone()  # type: ignore[no-untyped-call]  # SQLAlchemy's has no types

    def fetchmany(self, size: int | None = None) -> Any:
        """As SQLAlchemy's."""
        self._hold()
        return super().fetchmany(size)  # type: ignore[no-untyped-call]  # SQLAlchemy's has no types

    def fetchall(self) -> Any:
        """As SQLAlchemy's."""
        self._hold()
        return super().fetchall()  # type: ignore[no-untyped-call]  # SQLAlchemy's has no types


class HeldStreams(PGExecutionContext_asyncpg):
    """Has streams hold to their block."""

    def create_server_side_cursor(self) -> Any:
        """One for this connection, as long as it is borrowed."""
        return HeldStream(self._dbapi_connection.dbapi_connection, self._dbapi_connection)


class WalledAsyncpg(Walled, PGDialect_asyncpg):
    """PostgreSQL through asyncpg, whose prepared statements SQLAlchemy keeps, and nobody else."""

    keeps_statements = True
    supports_statement_cache = True
    execution_ctx_cls = HeldStreams  # type: ignore[mutable-override]  # never set again
    # asyncpg doesn't tell whether the transaction has failed: then this SELECT does.
    committing: tuple[str, ...] = ("SELECT", "COMMIT")

    def initialize(self, connection: Connection) -> None:
        """SQLAlchemy's first look, in a transaction.

        asyncpg sends two messages for each query, and a pooler may give the second one to a
        server session that knows nothing of the first.
        """
        driver = connection.connection.dbapi_connection
        self.send(driver, ("BEGIN",))
        super().initialize(connection)  # type: ignore[no-untyped-call]  # SQLAlchemy's has no types
        self.send(driver, ("COMMIT",))

    def send(
        self, connection: Any, statements: tuple[str, ...], *, valued: bool = False
    ) -> str | None:
        """One simple query; asyncpg gives back no value of it, so that takes a query more."""
        silent = statements[:-1] if valued else statements

        async def sent(driver: Any) -> str | None:
            if silent:
                await driver.execute("; ".join(silent))
            return str(await driver.fetchval(statements[-1])) if valued else None

        try:
            answer: str | None = connection.run_async(sent)
        except Exception as error:
            # asyncpg's errors are no DBAPI errors until SQLAlchemy's adapter has translated them.
            connection._handle_exception(error)  # noqa: SLF001 - it offers no public name
            raise
        return answer

    def forget(self, connection: Any) -> None:
        """SQLAlchemy's cache of what asyncpg has prepared, and asyncpg's listeners."""
        connection._prepared_statement_cache.clear()  # noqa: SLF001 - there is no public way
        driver = connection.driver_connection
        # What the cache let go of would be closed one by one, each in a round trip of its own.
        driver._stmts_to_close.clear()  # noqa: SLF001 - as above
        driver._listeners.clear()  # noqa: SLF001 - as `reset` does, without its round trip
        driver._log_listeners.clear()  # noqa: SLF001 - as above

    def in_transaction(self, connection: Any) -> bool:
        """As asyncpg saw it in the server's last answer."""
        return bool(connection.driver_connection.is_in_transaction())


def unguessable_name() -> str:
    """A name for one prepared statement."""
    return f"__partywall_{uuid.uuid4().hex}__"
