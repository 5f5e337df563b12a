"""PostgreSQL through psycopg, sync and async.

The message that enters is sent and not waited for: the first cursor that speaks collects its
answer (`partywall.runtime.overlap`).
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from psycopg import generators
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg, PGDialectAsync_psycopg

from partywall.errors import WallError
from partywall.runtime.dialects.walled import Walled
from partywall.runtime.overlap import ENTRY, answer, async_collect, collect
from partywall.runtime.plain import LENT, equip, forget

if TYPE_CHECKING:
    from partywall.runtime.entering import Entry
    from partywall.runtime.lease import Lease

READING = (
    "this connection is still being read, by a stream, a COPY or another thread: "
    "finish that before its block ends"
)
LOCK_S = 5.0
"""How long async code may take to let go of a stream that it no longer reads."""

FAILED = 3
"""libpq's PQTRANS_INERROR."""

IDLE = 0
"""libpq's PQTRANS_IDLE: https://www.postgresql.org/docs/current/libpq-status.html"""


async def locked(lock: asyncio.Lock) -> None:
    """Take the lock of a driver's connection.

    Raises:
        WallError: when whoever holds it doesn't let go in time.
    """
    if not lock.locked():
        await lock.acquire()
        return
    try:
        async with asyncio.timeout(LOCK_S):
            await lock.acquire()
    except TimeoutError as error:
        raise WallError(READING) from error


@lru_cache(maxsize=1024)
def message(statements: tuple[str, ...]) -> bytes:
    """The statements as one message of the wire; most of them are said again and again."""
    return "; ".join(statements).encode()


class WalledPsycopg(Walled, PGDialect_psycopg):
    """PostgreSQL through psycopg."""

    keeps_statements = True
    overlapping = True
    supports_statement_cache = True

    def connect(self, *args: Any, **options: Any) -> Any:
        """A connection whose cursors know their tenant."""
        connection = super().connect(*args, **options)
        equip(connection)
        return connection

    def overlap(self, connection: Any, statements: tuple[str, ...], entry: Entry) -> None:
        """Send the message; the first cursor that speaks waits for its answer."""
        self.post(connection, statements)
        setattr(connection, ENTRY, entry)

    def settle(self, connection: Any) -> None:
        """Wait, if nothing was said in the transaction."""
        collect(connection)

    def forget(self, connection: Any) -> None:
        """Psycopg's list of prepared statements, and who listens."""
        forget(connection)

    def lend(self, connection: Any, lease: Lease | None) -> None:
        """Note it where the cursors look."""
        setattr(connection, LENT, lease)

    def send(
        self, connection: Any, statements: tuple[str, ...], *, valued: bool = False
    ) -> str | None:
        """One simple query; libpq takes several statements in it."""
        del valued
        # In one call of libpq, which waits without holding the interpreter; psycopg's own way
        # would make an object of each statement's result.
        # Waiting would be for ever where this thread itself holds the lock.
        if not connection.lock.acquire(blocking=False):
            raise WallError(READING)
        try:
            return answer(connection, connection.pgconn.exec_(message(statements)))
        finally:
            connection.lock.release()

    def post(self, connection: Any, statements: tuple[str, ...]) -> None:
        """Hand the message to libpq."""
        connection.pgconn.send_query(message(statements))

    def receive(self, connection: Any) -> str | None:
        """Wait as psycopg's own commit does."""
        return answer(connection, connection.wait(generators.execute(connection.pgconn))[-1])

    def in_transaction(self, connection: Any) -> bool:
        """As libpq saw it in the server's last answer."""
        return bool(connection.pgconn.transaction_status != IDLE)

    def failed(self, connection: Any) -> bool:
        """As libpq saw it in the server's last answer."""
        return bool(connection.pgconn.transaction_status == FAILED)


class WalledAsyncPsycopg(Walled, PGDialectAsync_psycopg):
    """PostgreSQL through psycopg's async connection."""

    keeps_statements = True
    overlapping = True
    supports_statement_cache = True

    def connect(self, *args: Any, **options: Any) -> Any:
        """A connection whose cursors know their tenant."""
        connection = super().connect(*args, **options)
        equip(connection.driver_connection)
        return connection

    def overlap(self, connection: Any, statements: tuple[str, ...], entry: Entry) -> None:
        """Send the message; the first cursor that speaks waits for its answer."""
        self.post(connection, statements)
        setattr(connection.driver_connection, ENTRY, entry)

    def settle(self, connection: Any) -> None:
        """Wait, if nothing was said in the transaction."""
        if getattr(connection.driver_connection, ENTRY, None) is not None:
            connection.run_async(async_collect)

    def forget(self, connection: Any) -> None:
        """Psycopg's list of prepared statements, and who listens."""
        forget(connection.driver_connection)

    def lend(self, connection: Any, lease: Lease | None) -> None:
        """Note it where the cursors look."""
        setattr(connection.driver_connection, LENT, lease)

    def send(
        self, connection: Any, statements: tuple[str, ...], *, valued: bool = False
    ) -> str | None:
        """One simple query, awaited."""
        del valued

        async def sent(driver: Any) -> str | None:
            await locked(driver.lock)
            try:
                self.post(connection, statements)
                results = await driver.wait(generators.execute(driver.pgconn))
                return answer(driver, results[-1])
            finally:
                driver.lock.release()

        value: str | None = connection.run_async(sent)
        return value

    def post(self, connection: Any, statements: tuple[str, ...]) -> None:
        """Hand the message to libpq."""
        connection.driver_connection.pgconn.send_query(message(statements))

    def receive(self, connection: Any) -> str | None:
        """Wait as psycopg's own commit does."""
        pgconn = connection.driver_connection.pgconn
        results = connection.run_async(lambda driver: driver.wait(generators.execute(pgconn)))
        return answer(connection.driver_connection, results[-1])

    def in_transaction(self, connection: Any) -> bool:
        """As libpq saw it in the server's last answer."""
        return bool(connection.driver_connection.pgconn.transaction_status != IDLE)

    def failed(self, connection: Any) -> bool:
        """As libpq saw it in the server's last answer."""
        return bool(connection.driver_connection.pgconn.transaction_status == FAILED)
