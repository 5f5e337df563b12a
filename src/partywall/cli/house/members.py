"""What `partywall members` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from partywall.cli.ending import HELD, USAGE
from partywall.cli.house.opening import house, tenant_named, user_named, whence, who
from partywall.cli.house.pages import confirmed, put, put_json, put_table
from partywall.control import audit, memberships, tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from partywall.cli.where import Where
    from partywall.control.memberships import Membership
    from partywall.control.tenants import Tenant
    from partywall.control.users import User


def listing(where: Where, tenant: str) -> int:
    """Print a tenant's members."""
    with house(where) as database, database.reading() as connection:
        tenant_id = tenant_named(connection, tenant).id
        found = memberships.listed(connection, tenant_id)
        known = called(connection, tenant_id)
    rows = [
        {"email": email, "name": name, "role": one.role, "user_id": one.user_id}
        for one in found
        for email, name in [known.get(one.user_id, ("", ""))]
    ]
    if where.json:
        put_json({"members": rows})
    else:
        put_table(("email", "name", "role", "id"), [list(row.values()) for row in rows], "nobody")
    return HELD


def called(connection: Connection, tenant_id: str) -> dict[str, tuple[str, str]]:
    """Address and name of the users that belong to a tenant, or did."""
    users, of = tables.users, tables.memberships
    rows = connection.execute(
        select(users.c.id, users.c.email, users.c.name)
        .join(of, of.c.user_id == users.c.id)
        .where(of.c.tenant_id == tenant_id)
    )
    return {row.id: (row.email, row.name) for row in rows}


def add(where: Where, tenant: str, user: str, role: str) -> int:
    """Add a member."""
    with house(where) as database, database.begin() as connection:
        here, whom = tenant_named(connection, tenant), user_named(connection, user)
        added = memberships.add(connection, here.id, whom.id, role)
        noted(connection, added, "member.added", {"role": role})
    return told(where, here, whom, role, f"{whom.email} is {role} of {here.slug}")


def role(where: Where, tenant: str, user: str, to: str) -> int:
    """Change a member's role."""
    with house(where) as database, database.begin() as connection:
        here, whom = tenant_named(connection, tenant), user_named(connection, user)
        changed = memberships.change_role(connection, here.id, whom.id, to)
        noted(connection, changed, "member.role_changed", {"role": to})
    return told(where, here, whom, to, f"{whom.email} is {to} of {here.slug}")


def remove(where: Where, tenant: str, user: str, *, yes: bool) -> int:
    """End a membership."""
    with house(where) as database:
        if not confirmed(f"{user} will be out of {tenant}. Go on?", yes=yes):
            return USAGE
        with database.begin() as connection:
            here, whom = tenant_named(connection, tenant), user_named(connection, user)
            memberships.end(connection, here.id, whom.id)
            audit.record(
                connection,
                here.id,
                "member.removed",
                actor=who(),
                subject=whom.id,
                source=whence(),
            )
    return told(where, here, whom, None, f"{whom.email} is no member of {here.slug} any more")


def noted(
    connection: Connection, membership: Membership, action: str, detail: dict[str, str]
) -> None:
    """Put it into the tenant's log."""
    audit.record(
        connection,
        membership.tenant_id,
        action,
        actor=who(),
        subject=membership.user_id,
        source=whence(),
        detail=detail,
    )


def told(where: Where, tenant: Tenant, user: User, role: str | None, words: str) -> int:
    """Say what a user is now; None for no member."""
    answer: dict[str, Any] = {"tenant_id": tenant.id, "user_id": user.id, "role": role}
    if where.json:
        put_json({"member": answer})
    else:
        put(words)
    return HELD
