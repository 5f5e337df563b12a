"""What `partywall domains` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.cli.ending import HELD, USAGE
from partywall.cli.house.opening import house, noted, tenant_named
from partywall.cli.house.pages import confirmed, put, put_json, put_table
from partywall.control import audit, domains

if TYPE_CHECKING:
    from partywall.cli.where import Where


def listing(where: Where, tenant: str) -> int:
    """Print a tenant's domains."""
    with house(where) as database, database.reading() as connection:
        found = domains.listed(connection, tenant_named(connection, tenant).id)
    if where.json:
        put_json({"domains": found})
        return HELD
    put_table(
        ("domain", "verified", "challenge"),
        [(d.name, d.verified_at, d.challenge) for d in found],
        "no domains",
    )
    return HELD


def claim(where: Where, tenant: str, name: str) -> int:
    """Claim a domain, and say what its DNS must have."""
    with house(where) as database, database.begin() as connection:
        tenant_id = tenant_named(connection, tenant).id
        claimed = domains.claim(connection, tenant_id, name)
        noted(connection, tenant_id, "domain.claimed", audit.fitted(claimed.name))
    if where.json:
        put_json({"domain": claimed})
        return HELD
    put(f"{claimed.name} is claimed. Its DNS must have this TXT record, then it can be verified:")
    put(f"    {domains.record_name(claimed.name)}  {domains.record_value(claimed)}")
    return HELD


def verify(where: Where, tenant: str, name: str) -> int:
    """Verify a domain; the DNS is asked before the transaction that writes."""
    with house(where) as database:
        with database.reading() as connection:
            tenant_id = tenant_named(connection, tenant).id
            claimed = domains.of_tenant(connection, tenant_id, name)
        found = claimed
        if claimed.verified_at is None:
            said = domains.txt_records(domains.record_name(claimed.name))
            with database.begin() as connection:
                found = domains.verify(connection, tenant_id, claimed.name, lookup=lambda _: said)
                noted(connection, tenant_id, "domain.verified", audit.fitted(found.name))
    if where.json:
        put_json({"domain": found})
    else:
        put(f"{found.name} is verified, and leads to {tenant}")
    return HELD


def remove(where: Where, tenant: str, name: str, *, yes: bool) -> int:
    """Remove a domain."""
    with house(where) as database:
        if not confirmed(f"{name} will lead to {tenant} no more. Go on?", yes=yes):
            return USAGE
        with database.begin() as connection:
            tenant_id = tenant_named(connection, tenant).id
            removed = domains.of_tenant(connection, tenant_id, name).name
            domains.remove(connection, tenant_id, removed)
            noted(connection, tenant_id, "domain.removed", audit.fitted(removed))
    if where.json:
        put_json({"removed": removed})
    else:
        put(f"{removed} is removed")
    return HELD
