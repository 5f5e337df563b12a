"""Connections across `os.fork`: a child inherits its parent's sockets, and must leave them alone.

What the child would send there, a ROLLBACK at the end of an inherited block or the farewell of a
connection that is closed, the server would take for the parent's.
https://docs.sqlalchemy.org/en/21/core/pooling.html#using-connection-pools-with-multiprocessing-or-os-fork
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any
from weakref import WeakValueDictionary

from partywall.errors import WallError

_open: WeakValueDictionary[int, Any] = WeakValueDictionary()
_inherited: dict[int, Any] = {}
"""By identity. Held for good: the garbage collector closes what it finds open, and an identity
that is free may be given to a connection of the child's own."""


def opened(connection: Any) -> None:
    """Note a connection of this process."""
    driver = getattr(connection, "driver_connection", connection)
    with suppress(TypeError):  # sqlite3's can't be referred to weakly
        _open[id(driver)] = driver


def inherited(connection: Any) -> bool:
    """Whether *connection* was opened by this process's parent."""
    return (
        bool(_inherited) and id(getattr(connection, "driver_connection", connection)) in _inherited
    )


def hold(connection: Any) -> None:
    """Refuse to speak on an inherited connection.

    Raises:
        WallError: when *connection* is one.
    """
    if inherited(connection):
        raise WallError(
            "this session was opened before the process forked, and its connection is the "
            "parent's: open a session of the child's own"
        )


def after_fork() -> None:
    """In a forked child: all that is open is the parent's."""
    _inherited.update(_open)
    _open.clear()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=after_fork)
