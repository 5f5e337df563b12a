"""SQLite in one shared file: sessions stay in it, and leave nothing in the connection."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from partywall.errors import WallError
from partywall.runtime.files import WARDEN, explain
from partywall.runtime.warden import Warden

if TYPE_CHECKING:
    from sqlalchemy import Dialect, Engine
    from sqlalchemy.pool import ConnectionPoolEntry


class SharedWarden(Warden):
    """The authorizer of a connection to the file that all tenants share."""

    def explain(self) -> WallError:
        """The refusal in words."""
        what, self.refused = self.refused or "this", ""
        return WallError(
            f"{what} is refused in a file that tenants share, and nothing was executed: change the "
            "schema with a connection of your own, as migrations do"
        )


def confine(engine: Engine) -> None:
    """Have every connection of *engine* refuse ATTACH, temporary tables, PRAGMA and DDL."""

    def connect(
        dialect: Dialect, record: ConnectionPoolEntry, args: list[Any], options: dict[str, Any]
    ) -> Any:
        options["factory"] = partial(confined, info=record.info)
        return dialect.connect(*args, **options)

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "handle_error", explain)


def confined(*args: Any, info: Any, **options: Any) -> sqlite3.Connection:
    """A connection as `sqlite3.connect` makes it, with its warden."""
    connection = sqlite3.Connection(*args, **options)
    connection.execute("PRAGMA foreign_keys = ON").close()
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    warden = info[WARDEN] = SharedWarden(connection, alterable=False)
    connection.set_authorizer(warden)
    return connection
