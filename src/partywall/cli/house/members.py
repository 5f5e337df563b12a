"""What `partywall members` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.cli.ending import HELD, USAGE
from partywall.cli.house.opening import house, noted, tenant_named, user_named
from partywall.cli.house.pages import confirmed, put, put_json, put_table
from partywall.control import memberships

if TYPE_CHECKING:
    from partywall.cli.where import Where
    from partywall.control.tenants import Tenant
    from partywall.control.users import User


def listing(where: Where, tenant: str) -> int:
    """Print a tenant's members."""
    with house(where) as database, database.reading() as connection:
        found = memberships.people(connection, tenant_named(connection, tenant).id)
    rows = [
        {"email": user.email, "name": user.name, "role": one.role, "user_id": user.id}
        for one, user in found
    ]
    if where.json:
        put_json({"members": rows})
    else:
        put_table(("email", "name", "role", "id"), [list(row.values()) for row in rows], "nobody")
    return HELD


def add(where: Where, tenant: str, user: str, role: str) -> int:
    """Add a member."""
    with house(where) as database, database.begin() as connection:
        here, whom = tenant_named(connection, tenant), user_named(connection, user)
        memberships.add(connection, here.id, whom.id, role)
        noted(connection, here.id, "member.added", whom.id, role=role)
    return told(where, here, whom, role, f"{whom.email} is {role} of {here.slug}")


def role(where: Where, tenant: str, user: str, to: str) -> int:
    """Change a member's role."""
    with house(where) as database, database.begin() as connection:
        here, whom = tenant_named(connection, tenant), user_named(connection, user)
        memberships.change_role(connection, here.id, whom.id, to)
        noted(connection, here.id, "member.role_changed", whom.id, role=to)
    return told(where, here, whom, to, f"{whom.email} is {to} of {here.slug}")


def remove(where: Where, tenant: str, user: str, *, yes: bool) -> int:
    """End a membership."""
    with house(where) as database:
        if not confirmed(f"{user} will be out of {tenant}. Go on?", yes=yes):
            return USAGE
        with database.begin() as connection:
            here, whom = tenant_named(connection, tenant), user_named(connection, user)
            memberships.end(connection, here.id, whom.id)
            noted(connection, here.id, "member.removed", whom.id)
    return told(where, here, whom, None, f"{whom.email} is no member of {here.slug} any more")


def told(where: Where, tenant: Tenant, user: User, role: str | None, words: str) -> int:
    """Say what a user is now; None for no member."""
    answer: dict[str, Any] = {"tenant_id": tenant.id, "user_id": user.id, "role": role}
    if where.json:
        put_json({"member": answer})
    else:
        put(words)
    return HELD
