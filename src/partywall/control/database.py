"""The control plane's own database: PostgreSQL, or one SQLite file for development."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import time
import uuid
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError

from partywall.control.tables import SCHEMA
from partywall.errors import ConfigurationError, Unavailable
from partywall.runtime import forks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine, Pool, Table

    from partywall.control.memory import Hearing

CHANNEL = "partywall_changes"
"""Where changes are announced, by NOTIFY."""

BEGIN = "partywall_begin"
"""The execution option that says how a transaction of SQLite begins."""

SWITCH_S, PAUSE_S = 5.0, 0.01
"""How long a new connection waits while another one makes the file write ahead."""

CHANGED = "partywall_changed"
"""The execution option with the list of what a transaction has announced."""

PATIENCE = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,
}
"""How soon a server is given up that is gone without a word: seconds to connect, then 20 s for
whoever waits for its answer, where the system's own way takes hours. What the url says goes first.
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS"""

DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
}


class Database:
    """Transactions on the tables of `partywall.control.tables`.

    A forked child has connections of its own; a transaction that it has inherited is its parent's,
    and the child can't end it.

    Args:
        url: `postgresql://…`, with a login of the control plane's own that owns the schema
            `partywall`, or `sqlite:///…`.
        connections: how many may be open at once.
        timeout_s: how long to wait for one, and on SQLite for the one writer before.

    Raises:
        ConfigurationError: for what is no url, another kind of it, or SQLite in memory.
    """

    def __init__(self, url: str | URL, *, connections: int = 5, timeout_s: float = 30.0) -> None:
        try:
            address = make_url(url)
        except ArgumentError as error:
            raise ConfigurationError(
                "the control plane's url is none: write postgresql://… or sqlite:///house.db"
            ) from error
        if address.drivername not in DRIVERS:
            raise ConfigurationError(
                f"{address.drivername!r} can't hold the control plane: begin the url with "
                "postgresql:// or sqlite:///"
            )
        self.sqlite = address.get_backend_name() == "sqlite"
        if self.sqlite and address.database in {None, "", ":memory:"}:
            raise ConfigurationError(
                "a control plane in memory is gone with its process: name a file, sqlite:///house.db"
            )
        self.url = address.set(drivername=DRIVERS[address.drivername])
        self.connections, self.timeout_s = connections, timeout_s
        engine = create_engine(
            self.url,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=timeout_s,
            pool_pre_ping=not self.sqlite,
            pool_reset_on_return=None,  # `left` does
            connect_args=(
                {"timeout": timeout_s, "check_same_thread": False}
                if self.sqlite
                else {**patience(self.url), "application_name": "partywall control"}
            ),
        )
        event.listen(engine, "connect", lambda connection, _: forks.opened(connection))
        event.listen(engine, "commit", held)
        event.listen(engine, "rollback", held)
        event.listen(engine, "reset", left)
        if self.sqlite:
            event.listen(engine, "connect", opened)
            event.listen(engine, "begin", begun)
            engine = engine.execution_options(schema_translate_map={SCHEMA: None})
        self.engine: Engine = engine
        self._memories: weakref.WeakSet[Hearing] = weakref.WeakSet()
        self._inherited: list[Pool] = []
        _every.add(self)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that writes; committed at the end of the block.

        What was announced in it is then forgotten here; other processes hear of it.
        """
        changed: list[str] = []
        try:
            with self.engine.connect() as plain:
                connection = plain.execution_options(**{CHANGED: changed})
                with connection.begin():
                    yield connection
        finally:  # also where the commit has failed: it may have gone through
            for memory in tuple(self._memories) if changed else ():
                memory.announced(*changed)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads; on SQLite it waits for no writer."""
        with self.engine.connect() as plain:
            connection = plain.execution_options(**{BEGIN: "BEGIN"})
            with connection.begin():
                yield connection

    def tell(self, memory: Hearing) -> None:
        """Have *memory* forget what `begin` changes, as soon as it is committed."""
        self._memories.add(memory)

    def after_fork(self) -> None:
        """In a forked child: begin with no connections, and leave the parent's alone."""
        self._inherited.append(self.engine.pool)
        self.engine.dispose(close=False)

    def close(self) -> None:
        """Close the idle connections."""
        self.engine.dispose()


def announce(connection: Connection, *keys: str) -> None:
    """Say what changed, to every process that keeps a copy, when the transaction commits.

    Args:
        connection: the transaction that changes it.
        keys: `tenant:<id>`, `user:<id>`, `key:<hash>` of an API key, `data_keys:<tenant's id>`.
    """
    if connection.dialect.name != "postgresql":
        return  # who keeps a copy of SQLite's asks for its data_version
    connection.get_execution_options().get(CHANGED, []).extend(keys)
    for key in keys:
        connection.execute(select(func.pg_notify(CHANNEL, key)))


def inserting(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that may say what to do ON CONFLICT, which both dialects can, each by its own."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def now() -> dt.datetime:
    """This moment."""
    return dt.datetime.now(dt.UTC)


def clock(connection: Connection) -> dt.datetime:
    """This moment by the server's clock, one for all processes, of which one may be wrong."""
    if connection.dialect.name != "postgresql":
        return now()
    moment: dt.datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return moment


def new_id() -> str:
    """An id that nobody had before."""
    return str(uuid.uuid4())


def opened(connection: Any, record: object) -> None:  # noqa: ANN401 - a driver's
    """Prepare a new connection of SQLite.

    The driver would begin by itself, and only before some statements.
    https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#transactions-with-sqlite-and-the-sqlite3-driver
    """
    del record
    connection.isolation_level = None
    for pragma in ("foreign_keys = ON", "synchronous = NORMAL"):
        connection.execute(f"PRAGMA {pragma}").close()
    end_s = time.monotonic() + SWITCH_S
    while not ahead(connection):
        if time.monotonic() > end_s:
            raise Unavailable("the control plane's file is locked by somebody who does not end")
        time.sleep(PAUSE_S)


def ahead(connection: Any) -> bool:  # noqa: ANN401 - a driver's
    """Have the file write ahead, which it keeps; False where another one is just switching it.

    SQLite does not wait for its busy time-out there: both would wait for each other.
    https://www.sqlite.org/c3ref/busy_handler.html
    """
    try:
        connection.execute("PRAGMA journal_mode = WAL").close()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def patience(url: URL) -> dict[str, int]:
    """`PATIENCE`, as far as *url* says nothing else."""
    return {name: value for name, value in PATIENCE.items() if name not in url.query}


def held(connection: Connection) -> None:
    """Refuse to end a transaction of a fork's parent.

    Raises:
        WallError: when it is one.
    """
    if not connection.invalidated:
        forks.hold(connection.connection)


def left(connection: Any, *_: object) -> None:  # noqa: ANN401 - a driver's
    """Roll back what somebody has left open, unless it is open in a fork's parent."""
    if not forks.inherited(connection):
        connection.rollback()


def begun(connection: Connection) -> None:
    """Begin for real: a writer at once, since two that read first would both be stuck."""
    begin = connection.get_execution_options().get(BEGIN, "BEGIN IMMEDIATE")
    connection.exec_driver_sql(begin)


_every: weakref.WeakSet[Database] = weakref.WeakSet()


def after_fork() -> None:
    """In a forked child."""
    for database in _every:
        database.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=after_fork)
