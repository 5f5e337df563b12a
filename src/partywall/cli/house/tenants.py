"""What `partywall tenants` does, but for making and removing them: that is `moving`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from partywall.cli.ending import HELD
from partywall.cli.house.opening import house, noted, tenant_named, whence, who
from partywall.cli.house.pages import put, put_facts, put_json, put_table
from partywall.control import audit, domains, memberships, quotas, registration, tenants, works
from partywall.control.plane import ControlPlane
from partywall.control.tables import STATUSES
from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from partywall.cli.where import Where
    from partywall.control.tenants import Tenant
    from partywall.runtime.directory import Standing

PAGE = 500


def listing(where: Where, status: str) -> int:
    """Print the tenants."""
    if status and status not in STATUSES:
        raise ConfigurationError(f"a tenant is {', '.join(STATUSES)}, and never {status}")
    with house(where) as database, database.reading() as connection:
        found = list(everyone(connection, status))
    if where.json:
        put_json({"tenants": found})
        return HELD
    put_table(
        ("slug", "name", "status", "id", "created"),
        [(t.slug, t.name, t.status, t.id, t.created_at.date()) for t in found],
        "no tenants",
    )
    return HELD


def everyone(connection: Connection, status: str) -> Iterator[Tenant]:
    """The tenants, page by page."""
    standing = cast("Standing | None", status or None)  # it is among STATUSES
    after = ""
    while page := tenants.listed(connection, status=standing, after=after, limit=PAGE):
        yield from page
        after = page[-1].slug or page[-1].id  # who is deleted has no slug


def show(where: Where, name: str) -> int:
    """Print all about a tenant."""
    with house(where) as database, database.reading() as connection:
        tenant = tenant_named(connection, name)
        document = about(connection, tenant)
    if where.json:
        put_json(document)
        return HELD
    roles = ", ".join(f"{count} {role}" for role, count in document["members"].items())
    work = document["work"]
    facts = {
        "slug": tenant.slug,
        "name": tenant.name,
        "status": tenant.status,
        "because": tenant.reason,
        "id": tenant.id,
        "placement": tenant.placement,
        "created": tenant.created_at,
        "domains": ", ".join(
            one.name if one.verified_at else f"{one.name} (not verified)"
            for one in document["domains"]
        ),
        "members": roles,
        "quotas": ", ".join(
            f"{one.kind} {one.used:,} of {one.limit:,}"
            if one.limit is not None
            else f"{one.kind} {one.used:,}"
            for one in document["quotas"]
        ),
        "last work": f"{work.kind} {work.state} {work.step}".rstrip() if work else "",
        "its reason": work.reason if work else "",
        "not before": work.not_before if work else None,
    }
    put_facts({label: value for label, value in facts.items() if value not in {None, ""}})
    return HELD


def about(connection: Connection, tenant: Tenant) -> dict[str, Any]:
    """What there is about a tenant, as `--format json` has it."""
    roles = Counter(one.role for one in memberships.listed(connection, tenant.id))
    return {
        "tenant": tenant,
        "domains": domains.listed(connection, tenant.id),
        "members": dict(sorted(roles.items())),
        "quotas": quotas.usage(connection, tenant.id),
        "work": works.latest(connection, tenant.id),
    }


def suspend(where: Where, name: str, reason: str) -> int:
    """Close a tenant."""
    with house(where) as database, database.begin() as connection:
        tenant = tenant_named(connection, name)
        closed = tenants.set_status(connection, tenant.id, "suspended", reason=reason)
        why = audit.fitted(reason, audit.LONGEST_TEXT)
        noted(connection, tenant.id, "tenant.suspended", tenant.id, reason=why)
    return told(where, closed)


def resume(where: Where, name: str) -> int:
    """Open a tenant, and revoke its removal when there is one."""
    with house(where) as database:
        with database.reading() as connection:
            tenant = tenant_named(connection, name)
            last = works.latest(connection, tenant.id)
        if last is not None and last.kind == "remove" and last.state == "begun":
            with ControlPlane(database.url) as plane:
                return told(where, registration.keep(plane, tenant.id, by=who(), source=whence()))
        with database.begin() as connection:
            opened = tenants.set_status(connection, tenant.id, "active")
            noted(connection, tenant.id, "tenant.resumed", tenant.id)
    return told(where, opened)


def told(where: Where, tenant: Tenant) -> int:
    """Say how a tenant stands now."""
    if where.json:
        put_json({"tenant": tenant})
    else:
        put(f"{tenant.slug} is {tenant.status}")
    return HELD
