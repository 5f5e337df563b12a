"""Connections to tenants' files: opened only where a tenant lives, and held to a list of SQL.

https://www.sqlite.org/security.html
"""

from __future__ import annotations

import sqlite3
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError

from partywall.errors import (
    ConfigurationError,
    DeletedTenant,
    TenantMismatch,
    UnknownTenant,
    WallError,
)
from partywall.isolation.file_per_tenant import address, mark_of, tombstone_of
from partywall.runtime.entering import refused
from partywall.runtime.lease import KEY, Lease
from partywall.runtime.warden import Warden

if TYPE_CHECKING:
    from sqlalchemy import Dialect, Engine
    from sqlalchemy.engine import ExceptionContext
    from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

    from partywall.isolation.file_per_tenant import FilePerTenant

FILE = "partywall_file"
"""In a connection's `.info`: the path of the file it opened, and which file that was."""

WARDEN = "partywall_warden"
"""In a connection's `.info`: its warden."""

Identity = tuple[int, int]


def secure(engine: Engine, model: FilePerTenant) -> None:
    """Have every connection of *engine* stay in the file that it is opened with.

    The file is the connection's argument, and not the engine's url: the engines of all tenants
    share one dialect, where the listeners stand.

    A connection is opened only to a file that is there, is the tenant's own and has no tombstone;
    before it is lent again the same is asked. Its SQL is held to the list of `Warden`.

    Raises (when connecting or lending):
        UnknownTenant, DeletedTenant: when no file is there, or a tombstone.
        TenantMismatch: when it is the file of another tenant.
        WallError: when a symbolic link leads to another place, and for SQL not on the list.
    """

    def connect(
        dialect: Dialect, record: ConnectionPoolEntry, args: list[Any], options: dict[str, Any]
    ) -> Any:
        path = str(args[0])
        identity = present(path, model.folder)
        opening = Opening()
        options |= {
            "uri": True,
            "timeout": model.busy_timeout_s,
            "factory": partial(hardened, path=path, model=model, opening=opening),
        }
        connection = dialect.connect(address(path), **options)
        if opening.failure is not None:
            connection.close()
            raise opening.failure
        record.info.update({FILE: (Path(path), identity), WARDEN: opening.warden})
        return connection

    def lend(connection: object, record: ConnectionPoolEntry, fairy: PoolProxiedConnection) -> None:
        del connection, fairy
        file, identity = record.info[FILE]
        if identity_of(file) != identity:
            raise DisconnectionError("the tenant's file was removed or replaced")

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "checkout", lend)
    event.listen(engine, "handle_error", explain)


def identity_of(file: Path) -> Identity | None:
    """Which file stands there; None when none does."""
    try:
        found = file.lstat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def present(path: str, folder: str) -> Identity:
    """Which file stands at *path*, once it is shown to be a living tenant's, inside the folder.

    Raises:
        DeletedTenant, UnknownTenant: when a tombstone or nothing is there.
        WallError: when it is not in the folder, or a symbolic link below that leads elsewhere.
    """
    if not Path(path).is_relative_to(folder):
        raise WallError("this is no file of a tenant: it does not lie in the folder of the model")
    if Path(tombstone_of(path)).exists():
        raise DeletedTenant("the tenant was deleted, and its id is never given out again")
    identity = identity_of(Path(path))
    if identity is None:
        raise UnknownTenant("the tenant has no file in this folder: provision it first")
    real = Path(folder).resolve() / Path(path).relative_to(folder)
    if real.resolve() != real:
        raise WallError(
            "the tenant's file, or a folder on the way to it, is a symbolic link: it could lead "
            "to another tenant's. Mount or move what it leads to there instead"
        )
    return identity


@dataclass(slots=True)
class Opening:
    """How the opening of a connection went, in whichever thread that was."""

    warden: Warden | None = None
    failure: Exception | None = None


def hardened(
    *args: Any, path: str, model: FilePerTenant, opening: Opening, **options: Any
) -> sqlite3.Connection:
    """A connection as `sqlite3.connect` makes it, with the walls up before anybody has it.

    What fails is left in *opening*, and not raised: aiosqlite 0.22 doesn't wait for its thread to
    end when a connection couldn't be made, and the thread dies noisily if the loop ends first.
    """
    connection = sqlite3.Connection(*args, **options)
    try:
        harden(connection, path, model)
        opening.warden = Warden(connection, alterable=model.alterable)
        connection.set_authorizer(opening.warden)
    except Exception as error:  # noqa: BLE001 - raised by who asked for the connection
        opening.failure = error
    return connection


def harden(connection: sqlite3.Connection, path: str, model: FilePerTenant) -> None:
    """Set what protects the file from the SQL, and the process from the file.

    Raises:
        TenantMismatch: when the file is marked as another tenant's.
        ConfigurationError: where SQLite can't keep a write-ahead log.
    """
    mark = value(connection, "PRAGMA application_id")
    # Zero: made by other hands at exactly this place, where only an operator can put a file.
    if mark not in (0, mark_of(path)):
        raise TenantMismatch(
            "the file at this tenant's place is another tenant's: put the right one back with "
            "partywall.runtime.copies.restore"
        )
    if value(connection, "PRAGMA journal_mode = WAL") != "wal":
        raise ConfigurationError(
            "SQLite can't keep a write-ahead log in this folder: use a local file system"
        )
    for pragma in (
        f"synchronous = {'FULL' if model.durable else 'NORMAL'}",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "cell_size_check = ON",
        "mmap_size = 0",
    ):
        connection.execute(f"PRAGMA {pragma}").close()
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    if sys.version_info >= (3, 12):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)  # noqa: FBT003 - positional


def value(connection: sqlite3.Connection, query: str) -> object:
    """The only value of *query*."""
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def explain(context: ExceptionContext) -> None:
    """Turn SQLite's "not authorized" into a `WallError` that says what was refused."""
    if context.connection is None or "authoriz" not in str(context.original_exception):
        return
    info = context.connection.info
    warden, lease = info.get(WARDEN), info.get(KEY)
    if not isinstance(warden, Warden) or not warden.refused:
        return
    error = warden.explain()
    if isinstance(lease, Lease):
        refused(lease, error)
    raise error from context.original_exception
