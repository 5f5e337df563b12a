"""Tenants with fixed ids in a house, and key-encryption keys."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING

from partywall import TenantContext
from partywall.control import tables
from partywall.control.database import now
from partywall.control.migrations import migrate

if TYPE_CHECKING:
    from pathlib import Path

    from partywall.control.database import Database

ACME = TenantContext("00000000-0000-4000-8000-00000000000a")
GLOBEX = TenantContext("00000000-0000-4000-8000-00000000000b")


def house(database: Database) -> None:
    """Have both tenants live there."""
    migrate(database)
    with database.begin() as connection:
        for number, context in enumerate((ACME, GLOBEX)):
            row: dict[str, object] = {
                "id": context.tenant_id,
                "slug": f"tenant-{number}",
                "name": "A tenant",
            }
            row |= {"status": "active", "created_at": now(), "changed_at": now()}
            connection.execute(tables.tenants.insert(), {**row, "settings": {}})


def set_status(database: Database, context: TenantContext, status: str) -> None:
    """Have a tenant stand otherwise, at once."""
    with database.begin() as connection:
        own = tables.tenants.c.id == context.tenant_id
        connection.execute(tables.tenants.update().where(own).values(status=status))


def add_key(folder: Path, version: str) -> None:
    """A key-encryption key as FileKeys reads it."""
    path = folder / f"{version}.key"
    path.touch(mode=0o600)
    path.write_bytes(base64.b64encode(secrets.token_bytes(32)))
