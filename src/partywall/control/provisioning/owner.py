"""The owner of tenants' places: connections that make and remove, never those of requests."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.pool import NullPool

from partywall.control.database import DRIVERS, begun
from partywall.control.provisioning.alone import still_alone
from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, CursorResult, Dialect, Engine

CONNECTIONS = 5
NAMED: dict[str, Any] = {"application_name": "partywall provisioning"}
PATIENCE = b"SET lock_timeout = '20s'"
"""Then a step has failed: who holds a tenant's table for longer is not waited for."""


class Owner:
    """Connections to one server as the role that owns what is made there.

    Args:
        url: of its database: `postgresql://…` or `sqlite:///…`.

    Raises:
        ConfigurationError: for another kind of url.
    """

    def __init__(self, url: str | URL) -> None:
        address = make_url(url)
        # The runtime's asyncpg and aiosqlite are for async code, which this is not.
        plain = address.get_backend_name()
        if plain not in DRIVERS:
            raise ConfigurationError(
                f"{address.drivername!r} can't provision tenants: begin the owner's url with "
                "postgresql:// or sqlite:///"
            )
        self.url = address.set(drivername=DRIVERS[plain])
        self.sqlite = plain == "sqlite"
        self._engine = self._made(self.url)
        self._transactional = self._engine
        if self.sqlite:
            event.listen(self._engine, "connect", opened)
            event.listen(self._engine, "begin", begun)
        else:
            self._transactional = self._engine.execution_options(isolation_level="READ COMMITTED")

    def send(self, *statements: str, database: str = "") -> list[tuple[Any, ...]]:
        """Execute *statements* in one message, so in one transaction; the rows of the last.

        One that allows no transaction around it goes alone. PostgreSQL only.

        Args:
            statements: without parameters.
            database: another one of the same server; its connection is closed again.
        """
        with self.session(database) as connection:
            return sent(connection, *statements)

    @property
    def dialect(self) -> Dialect:
        """The dialect, once it knows its server."""
        with self._engine.connect():
            return self._engine.dialect

    @contextmanager
    def session(self, database: str = "") -> Iterator[Any]:
        """A driver's connection, which commits each message by itself.

        Raises:
            TurnLost: as `still_alone` does, which is asked last.
        """
        if database:
            address = self.url.set(drivername="postgresql", database=database)
            with psycopg.connect(
                address.render_as_string(hide_password=False), autocommit=True, **NAMED
            ) as single:
                single.execute(PATIENCE)
                still_alone()
                yield single
            return
        with self._engine.connect() as connection:
            still_alone()
            try:
                yield connection.connection.driver_connection
            except BaseException:
                connection.invalidate()  # nobody knows what it is in the middle of
                raise

    @contextmanager
    def transaction(self, database: str = "") -> Iterator[Connection]:
        """A transaction, committed at the end of the block.

        Raises:
            TurnLost: as `still_alone` does.
        """
        engine = self._transactional
        if database:
            other = self._made(self.url.set(database=database), poolclass=NullPool)
            engine = other.execution_options(isolation_level="READ COMMITTED")
        with engine.begin() as connection:
            still_alone()
            yield connection

    def close(self) -> None:
        """Close the idle connections."""
        self._engine.dispose()

    def _made(self, url: URL, **options: Any) -> Engine:  # noqa: ANN401 - create_engine's
        if self.sqlite:
            return create_engine(url, connect_args={"check_same_thread": False}, **options)
        if not options:
            options = {"pool_size": CONNECTIONS, "max_overflow": 0, "pool_pre_ping": True}
        engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args=NAMED, **options)
        event.listen(engine, "connect", patient)
        return engine


def sent(connection: Any, *statements: str) -> list[tuple[Any, ...]]:  # noqa: ANN401 - a driver's
    """Execute *statements* in one message; the rows of the last."""
    cursor = connection.execute(";\n".join(statements).encode())
    while cursor.nextset():
        pass
    rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
    return rows


def run(connection: Connection, statement: str) -> CursorResult[*tuple[Any, ...]]:
    """Execute a statement without parameters as it is written, whatever the driver does with %."""
    if connection.dialect.paramstyle in {"format", "pyformat"}:
        statement = statement.replace("%", "%%")
    return connection.exec_driver_sql(statement)


def patient(connection: Any, record: object) -> None:  # noqa: ANN401 - a driver's
    """Prepare a new connection of PostgreSQL: it waits for no lock for ever."""
    del record
    autocommit, connection.autocommit = connection.autocommit, True
    connection.execute(PATIENCE)
    connection.autocommit = autocommit


def opened(connection: Any, record: object) -> None:  # noqa: ANN401 - a driver's
    """Prepare a new connection of SQLite: transactions are begun by us."""
    del record
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON").close()
