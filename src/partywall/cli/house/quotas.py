"""What `partywall quotas` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.cli.ending import HELD
from partywall.cli.house.opening import house, noted, tenant_named
from partywall.cli.house.pages import put_json, put_table
from partywall.control import quotas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.cli.where import Where
    from partywall.control.quotas import Quota


def show(where: Where, tenant: str) -> int:
    """Print a tenant's quotas."""
    with house(where) as database, database.reading() as connection:
        found = quotas.usage(connection, tenant_named(connection, tenant).id)
    return told(where, found)


def set_limit(where: Where, tenant: str, kind: str, limit: int | None) -> int:
    """Set a limit."""
    with house(where) as database, database.begin() as connection:
        tenant_id = tenant_named(connection, tenant).id
        quotas.set_limit(connection, tenant_id, kind, limit)
        noted(connection, tenant_id, "quota.changed", kind, limit=limit)
        found = quotas.usage(connection, tenant_id)
    return told(where, found)


def told(where: Where, found: Sequence[Quota]) -> int:
    """Print quotas."""
    if where.json:
        put_json({"quotas": found})
        return HELD
    put_table(
        ("kind", "used", "limit"),
        [(one.kind, one.used, "none" if one.limit is None else one.limit) for one in found],
        "no quotas",
    )
    return HELD
