"""The life of a tenant's file: provisioned in one step, and removed for good.

Each function blocks; async code calls it with `asyncio.to_thread`. What changes a folder holds a
lock on it, which a killed process lets go of, and becomes visible in one step.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import MetaData, StaticPool, create_engine

from partywall.errors import (
    DeletedTenant,
    TenantExists,
    UnknownTenant,
)
from partywall.isolation.file_per_tenant import address, mark_of
from partywall.isolation.naming import tenant_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from partywall.isolation.file_per_tenant import FilePerTenant

    Schema = Callable[[sqlite3.Connection], object] | MetaData

BESIDE = ("-journal", "-wal", "-shm")
"""What SQLite puts beside a file, by the end of its name."""


def provision(model: FilePerTenant, tenant: object, schema: Schema) -> None:
    """Make the tenant's file: complete when it appears, and never in place of another.

    Args:
        model: where.
        tenant: the tenant's id.
        schema: the tables, or what makes them on a connection without walls. A process killed in
            the middle leaves nothing that counts as a tenant.

    Raises:
        TenantExists: when the file is there; of two at once, one gets this.
        DeletedTenant: when the id once was another tenant's.
        MissingTenant: when *tenant* is no id.
    """
    path = Path(model.path(tenant))
    made(Path(model.folder), path.parent)
    with held(path.parent):
        if Path(model.tombstone(tenant)).exists():
            raise DeletedTenant("a tenant of this id was deleted: give the new one another id")
        draft = path.with_suffix(".new")
        discard(draft)
        try:
            write(draft, mark_of(str(path)), schema)
            os.link(draft, path)
        except FileExistsError as error:
            raise TenantExists("the tenant's file is there already") from error
        finally:
            discard(draft)
        synced(path.parent)


def remove(model: FilePerTenant, tenant: object) -> None:
    """Delete the tenant's file, and leave a tombstone so that its name is never given out again.

    Connections that are open go on in what no longer has a name, until they are returned; the
    next session gets `DeletedTenant`. Repeated after a crash it finishes what was begun.

    Raises:
        UnknownTenant: when there is nothing to remove.
    """
    path, tombstone = Path(model.path(tenant)), Path(model.tombstone(tenant))
    if not path.exists() and not tombstone.exists():
        raise UnknownTenant("the tenant has no file in this folder")
    with held(path.parent):
        with suppress(FileExistsError):
            os.close(os.open(tombstone, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        synced(path.parent)
        discard(path)
        synced(path.parent)


def tenants(model: FilePerTenant) -> Iterator[str]:
    """The ids of the tenants that have a file, in no order, in constant memory."""
    for shard in folders(model.folder):
        for part in folders(shard.path):
            with os.scandir(part.path) as entries:
                for entry in entries:
                    tenant = tenant_of(Path(entry.name).stem, model.prefix)
                    # The path that follows from the id: so neither a stray file nor a draft counts.
                    if tenant is None or entry.path != model.path(tenant):
                        continue
                    if not Path(model.tombstone(tenant)).exists():
                        yield tenant


def folders(path: str) -> Iterator[os.DirEntry[str]]:
    """The folders directly in *path*, none when it isn't there."""
    with suppress(FileNotFoundError), os.scandir(path) as entries:
        yield from (each for each in entries if each.is_dir(follow_symlinks=False))


def opened(path: str, mode: str = "rw") -> sqlite3.Connection:
    """A connection without walls, in autocommit, for statements of ours alone."""
    connection = sqlite3.connect(address(path, mode), uri=True, isolation_level=None)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def write(draft: Path, mark: int, schema: Schema) -> None:
    """Write a new file and bring it to the disk."""
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with closing(opened(str(draft))) as connection:
        # A draft that is not finished is thrown away: it needs no journal, and one fsync.
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("PRAGMA synchronous = OFF")
        if isinstance(schema, MetaData):
            engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
            schema.create_all(engine)
        else:
            schema(connection)
        if connection.in_transaction:
            connection.commit()
        connection.execute(f"PRAGMA application_id = {mark}")
        connection.execute("PRAGMA journal_mode = WAL")
    synced(draft)


def discard(path: Path) -> None:
    """Delete a file and what SQLite put beside it; the file first, since it is what counts."""
    for end in ("", *BESIDE):
        path.with_name(path.name + end).unlink(missing_ok=True)


def made(folder: Path, shard: Path) -> None:
    """Make the folder and the two levels of a shard, for the owner alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for level in (shard.parent, shard):
        if not level.exists():
            level.mkdir(mode=0o700, exist_ok=True)
            synced(level.parent)


def synced(path: Path) -> None:
    """Have a file's content, or a folder's list of names, on the disk.

    Not for a file that SQLite has open: closing it here would drop SQLite's locks on it.
    https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder against every other that would change it; the kernel lets go at a kill."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
