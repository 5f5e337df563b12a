"""Being the only one, over processes: locks that end with whoever holds them.

PostgreSQL's are advisory locks; SQLite's are locked files in a folder beside the database, since
its own lock would keep everybody else from writing meanwhile.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from sqlalchemy import func, select, text

from partywall.errors import WorkError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection

    from partywall.control.database import Database

PATIENCE = text("SET LOCAL lock_timeout = '60s'")
"""Then the act is tried again: nobody waits for ever for a server that stands still."""

_turn: ContextVar[Any] = ContextVar("turn", default=None)  # the driver's connection with the lock


class Located(Protocol):
    """A database, as far as locks need one: a control plane's, or a workflow engine's own."""

    @property
    def url(self) -> URL:
        """Where it is."""

    @property
    def sqlite(self) -> bool:
        """Whether it is a file."""


class TurnLost(BaseException):
    """The lock was lost in the middle: no step that catches errors may go on from here."""


def hold(connection: Connection, name: str) -> None:
    """Be the only one with *name* until the transaction ends; a writer on SQLite is already."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(key(name))))


@contextmanager
def alone(database: Database, name: str) -> Iterator[Connection]:
    """Wait until nobody else is the one with *name*, here or in `hold`.

    The block gets a connection, and begins transactions on it as it needs.

    Raises:
        WorkError: when the lock was lost in the block, and `still_alone` noticed.
    """
    if database.sqlite:
        with file_locked(lock_file(database, name)), database.engine.connect() as connection:
            yield connection
        return
    with database.engine.connect() as connection:
        with connection.begin():
            connection.execute(PATIENCE)
            connection.execute(select(func.pg_advisory_lock(key(name))))
        turn = _turn.set(connection.connection.driver_connection)
        try:
            yield connection
            with connection.begin():
                connection.execute(select(func.pg_advisory_unlock(key(name))))
        except BaseException as error:
            connection.invalidate()  # and with it the lock
            if isinstance(error, TurnLost):
                words = "the connection that kept others away was lost: one of them may be at it"
                raise WorkError(words) from error
            raise
        finally:
            _turn.reset(turn)


def still_alone() -> None:
    """Ask before each deed whether the lock of `alone` is held yet, where there is one.

    A process that stood still for long may have lost its connection, and another has done its work
    and more: let people in to what this one was about to take back. A file's lock is not lost.

    Raises:
        TurnLost: when it is not.
    """
    connection = _turn.get()
    if connection is None:
        return
    try:
        answer = connection.pgconn.exec_(b"SELECT 1")  # without a transaction around it
    except psycopg.Error as error:
        raise TurnLost from error
    if answer.status != psycopg.pq.ExecStatus.TUPLES_OK:
        raise TurnLost


def key(name: str) -> int:
    """The number of an advisory lock."""
    digest = hashlib.blake2b(name.encode(), digest_size=8, person=b"partywall").digest()
    return int.from_bytes(digest, "big", signed=True)


def lock_file(database: Located, name: str) -> Path:
    """Where the lock of *name* lies, beside a SQLite database."""
    folder = Path(f"{database.url.database}-locks")
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / name


@contextmanager
def file_locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Lock a file, which is there only as long; False when it is locked and one won't wait."""
    how = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, how)
        except BlockingIOError:
            os.close(descriptor)
            yield False
            return
        if lies_at(path, descriptor):
            break
        os.close(descriptor)  # the one before has removed it
    try:
        yield True
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def lies_at(path: Path, descriptor: int) -> bool:
    """Whether an open file is still the one at *path*."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
