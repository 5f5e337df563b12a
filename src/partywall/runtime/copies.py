"""Copies of a tenant's file: backed up while it is in use, and restored while it is.

Each function blocks; async code calls it with `asyncio.to_thread`.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from partywall.errors import ConfigurationError, TenantError, TenantMismatch, UnknownTenant
from partywall.isolation.file_per_tenant import mark_of
from partywall.runtime.files import present, value
from partywall.runtime.housing import discard, held, opened, provision, synced

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.isolation.file_per_tenant import FilePerTenant


def backup(
    model: FilePerTenant,
    tenant: object,
    to: str | Path,
    *,
    pages: int = 1024,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Copy the tenant's file as it stands now, while others read and write it.

    The copy is one snapshot: a read transaction is held until it is complete, so writers neither
    wait nor start it over. It appears at *to* when it is complete and its integrity was checked.

    Args:
        model: where.
        tenant: the tenant's id.
        to: where the copy goes; nothing may be there.
        pages: how many pages are copied at a time.
        progress: is told, after each time, how many pages are left and how many there are.

    Raises:
        UnknownTenant, DeletedTenant: when there is nothing to copy.
        TenantError: when the tenant's file is damaged.
        ConfigurationError: when something is at *to* already.
    """
    target = Path(to)
    path = model.path(tenant)
    present(path, model.folder)

    def told(status: int, left: int, total: int) -> None:
        del status
        if progress is not None:
            progress(left, total)

    # mkstemp makes it with 0600, and SQLite keeps that.
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".partywall-", suffix=".part")
    os.close(descriptor)
    try:
        with closing(opened(path)) as source, closing(opened(name)) as copy:
            source.execute("BEGIN")
            value(source, "SELECT 1 FROM sqlite_schema")  # with it the snapshot begins
            source.backup(copy, pages=pages, progress=told)
            copy.execute("PRAGMA journal_mode = DELETE")
            sound(copy)
        synced(Path(name))
        os.link(name, target)
    except FileExistsError as error:
        raise ConfigurationError(f"{target} is there already: name a new file") from error
    finally:
        discard(Path(name))
    synced(target.parent)


def restore(model: FilePerTenant, tenant: object, backed_up: str | Path) -> None:
    """Put a backup in the tenant's place, in one transaction that readers and writers wait for.

    A tenant that has no file is provisioned with it.

    Raises:
        TenantMismatch: when it is a backup of another tenant; nothing was changed.
        TenantError: when the backup is damaged; nothing was changed.
        DeletedTenant: when the tenant was deleted.
        TenantExists: when somebody else provisioned the tenant meanwhile.
    """
    path = model.path(tenant)
    with closing(opened(str(Path(backed_up).absolute()), "ro")) as source:
        sound(source)
        if value(source, "PRAGMA application_id") not in (0, mark_of(path)):
            raise TenantMismatch("this is the backup of another tenant")
        try:
            present(path, model.folder)
        except UnknownTenant:
            provision(model, tenant, source.backup)
            return
        with held(Path(path).parent), closing(opened(path)) as living:
            source.backup(living)
            living.execute(f"PRAGMA application_id = {mark_of(path)}")


def sound(connection: sqlite3.Connection) -> None:
    """Check what a connection leads to.

    Raises:
        TenantError: when it is damaged.
    """
    try:
        answer = value(connection, "PRAGMA integrity_check(1)")
    except sqlite3.DatabaseError as error:
        raise TenantError("the tenant's file is damaged: restore a backup") from error
    if answer != "ok":
        raise TenantError("the tenant's file is damaged: restore a backup")
