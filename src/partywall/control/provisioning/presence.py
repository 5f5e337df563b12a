"""Which processes of a workflow engine live: each holds a lock as long as it does."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import NullPool, create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from partywall.control.provisioning.alone import file_locked, key, lock_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from partywall.control.provisioning.alone import Located


class Presence:
    """That this process lives, said to all others, until it closes or dies.

    Args:
        database: of whose processes it is one; on PostgreSQL one connection of its own is kept
            open to it.
        process: the name of this process, which no other has.
    """

    def __init__(self, database: Located, process: str) -> None:
        self._database = database
        self._process = process
        self._stack = ExitStack()
        self._connection: Connection | None = None
        named = {} if database.sqlite else {"application_name": "partywall works"}
        self._engine = create_engine(
            database.url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=named
        )
        if database.sqlite:
            self._stack.enter_context(file_locked(lock_file(database, process)))
        else:
            self.renew()

    def renew(self) -> None:
        """Say it again, where the connection that said it was lost.

        Raises:
            SQLAlchemyError: when the database is down.
        """
        if self._database.sqlite:
            return
        if self._connection is not None:
            try:
                self._connection.execute(select(1))
            except SQLAlchemyError:
                self._connection.invalidate()
                self._connection.close()
                self._connection = None
            else:
                return
        connection = self._engine.connect()
        connection.execute(select(func.pg_advisory_lock(key(self._process))))
        self._connection = connection

    @contextmanager
    def dead(self, process: str) -> Iterator[bool]:
        """Whether another process is dead; in the block nobody else is told so."""
        if process == self._process:
            yield False
            return
        if self._database.sqlite:
            with file_locked(lock_file(self._database, process), wait=False) as free:
                yield free
            return
        with self._engine.connect() as connection:
            free = connection.execute(select(func.pg_try_advisory_lock(key(process)))).scalar_one()
            yield free

    def close(self) -> None:
        """This process works no more."""
        self._stack.close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._engine.dispose()
