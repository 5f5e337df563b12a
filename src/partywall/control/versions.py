"""How a process learns at once what has changed in SQLite: it asks for a number."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from partywall.control.database import Database
    from partywall.control.memory import Memory

_inherited: list[Any] = []
"""A parent's connections, held for good: the last to close one clears up the write-ahead log."""


class Versions:
    """Compares a database's `data_version`, which changes with every commit, at each question.

    https://www.sqlite.org/pragma.html#pragma_data_version

    Args:
        database: whose changes.
        memory: cleared when there was one.
    """

    def __init__(self, database: Database, memory: Memory) -> None:
        self._database = database
        self._memory = memory
        self._connection: sqlite3.Connection | None = None
        self.after_fork()

    def after_fork(self) -> None:
        """In a forked child: the connection is the parent's."""
        _inherited.append(self._connection)
        self._alone = threading.Lock()
        self._connection = None
        self._seen = -1

    def current(self) -> bool:
        """Whether memory is good now: always, since what changed is cleared first.

        Only where the database can't be asked it is not.
        """
        with self._alone:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                    self._seen = -1
                ((version,),) = self._connection.execute("PRAGMA data_version").fetchall()
            except sqlite3.Error:
                self._let_go()
                return False
            if version != self._seen:
                self._memory.clear()
                self._seen = version
        return True

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        with self._alone:
            self._let_go()

    def _connect(self) -> sqlite3.Connection:
        dialect, url = self._database.engine.dialect, self._database.url
        (path,), options = dialect.create_connect_args(url)
        told: dict[str, Any] = {**options, "check_same_thread": False}  # `_alone` lets in one
        connection: sqlite3.Connection = sqlite3.connect(path, **told)
        return connection

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
