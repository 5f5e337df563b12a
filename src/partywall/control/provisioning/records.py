"""What the control plane itself keeps of a tenant, and lets go when the tenant is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from partywall.control import tables
from partywall.control.database import announce

if TYPE_CHECKING:
    from sqlalchemy import Connection

RECORDS = (
    tables.api_keys,  # before the memberships that they point to
    tables.invitations,
    tables.domains,
    tables.memberships,
    tables.roles,
    tables.quotas,
    tables.grants,
    tables.data_keys,  # shredded before: what a process made meanwhile
)
"""The tenant's own row, its works and its audit log stay: they say that it was, and went."""


def removed(connection: Connection, tenant_id: str) -> dict[str, object]:
    """Delete the tenant's records; how many there were of each kind."""
    announce(connection, f"tenant:{tenant_id}", *acquainted(connection, tenant_id))
    counts: dict[str, object] = {}
    for table in RECORDS:
        gone = connection.execute(delete(table).where(table.c.tenant_id == tenant_id))
        counts[table.name] = gone.rowcount
    return counts


def acquainted(connection: Connection, tenant_id: str) -> list[str]:
    """Whose copies of it are void: its members, its API keys."""
    users = select(tables.memberships.c.user_id).where(tables.memberships.c.tenant_id == tenant_id)
    keys = select(tables.api_keys.c.key_hash).where(tables.api_keys.c.tenant_id == tenant_id)
    return [f"user:{user}" for user in connection.execute(users).scalars()] + [
        f"key:{digest.hex()}" for digest in connection.execute(keys).scalars()
    ]
