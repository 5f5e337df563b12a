"""Roles: names for sets of permissions, the same in every tenant or a tenant's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from partywall.control import ids, tables
from partywall.control.database import announce, inserting
from partywall.errors import (
    DeletedTenant,
    InvalidRecord,
    NotPermitted,
    RecordConflict,
    UnknownRecord,
    UnknownTenant,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

ROLES = tables.roles
TENANTS = tables.tenants
EVERYTHING = "*"
OWNER = "owner"
ADMINISTRATOR = "administrator"
"""Of who is let into a tenant under a grant; no tenant has such a role of its own."""

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
PERMISSION = re.compile(r"[a-z_]{1,40}:[a-z_]{1,40}\Z")
MOST = 200
"""Permissions that a role can have."""

HOUSE = frozenset(
    {
        "tenant:read", "tenant:write", "members:read", "members:write", "invitations:write",
        "domains:read", "domains:write", "api_keys:read", "api_keys:write", "roles:write",
        "audit:read", "quotas:read",
    }
)  # fmt: skip
"""What the control plane's own endpoints ask for."""

BUILT_IN: Mapping[str, frozenset[str]] = {
    OWNER: frozenset({EVERYTHING}),
    "admin": HOUSE,
    "member": frozenset({"tenant:read", "members:read"}),
}
"""In every tenant; a tenant may define `admin` and `member` otherwise."""


def permissions(connection: Connection, tenant_id: str, role: str) -> frozenset[str]:
    """What the role may in this tenant; nothing for a role that there is not."""
    if role == OWNER:
        return BUILT_IN[OWNER]
    if not NAME.match(role):
        return frozenset()
    query = select(ROLES.c.permissions).where(ROLES.c.tenant_id == tenant_id, ROLES.c.name == role)
    own = connection.execute(query).scalar_one_or_none()
    return BUILT_IN.get(role, frozenset()) if own is None else frozenset(own)


def listed(connection: Connection, tenant_id: str) -> dict[str, frozenset[str]]:
    """All roles of the tenant, built in and its own, with what they may."""
    query = select(ROLES.c.name, ROLES.c.permissions).where(ROLES.c.tenant_id == tenant_id)
    own = {name: frozenset(given) for name, given in connection.execute(query)}
    return {**BUILT_IN, **own}


def define(
    connection: Connection,
    tenant_id: str,
    name: str,
    given: Iterable[str],
    *,
    within: frozenset[str] | None = None,
) -> None:
    """Give a tenant a role of its own, or a built-in one other permissions.

    Args:
        connection: the transaction.
        tenant_id: the tenant.
        name: of the role.
        given: what it may.
        within: the permissions of the member who defines it; None for the operator.

    Raises:
        InvalidRecord: for a name or a permission that can't be.
        NotPermitted: when the role may more than *within*, before or afterwards.
        RecordConflict: for the owner's role, which is the same everywhere, and for that of
            administrators, which no member has.
        UnknownTenant: when there is no such tenant.
    """
    wanted = frozenset(given)
    if not NAME.match(name):
        raise InvalidRecord("a role has a name of small letters, digits and underscores: auditor")
    if name == OWNER:
        raise RecordConflict("the owner may do everything, and that can't be changed")
    if name == ADMINISTRATOR:
        raise RecordConflict("administrators have this role, and no member: choose another name")
    if len(wanted) > MOST or not all(PERMISSION.match(each) for each in wanted):
        raise InvalidRecord(
            f"a role has up to {MOST} permissions, each written as in invoices:write, with small "
            "letters and underscores"
        )
    hold(connection, tenant_id)
    allow(within, permissions(connection, tenant_id, name), wanted)
    insert = inserting(connection, ROLES)
    defining = insert.values(tenant_id=tenant_id, name=name, permissions=sorted(wanted))
    connection.execute(
        defining.on_conflict_do_update(
            index_elements=[ROLES.c.tenant_id, ROLES.c.name],
            set_={"permissions": defining.excluded.permissions},
        )
    )
    announce(connection, f"tenant:{tenant_id}")


def remove(
    connection: Connection,
    tenant_id: str,
    name: str,
    *,
    within: frozenset[str] | None = None,
) -> None:
    """Take a tenant's own role away; a built-in one is what it was.

    Args:
        connection: the transaction.
        tenant_id: the tenant.
        name: of the role.
        within: the permissions of the member who removes it; None for the operator.

    Raises:
        NotPermitted: when the role may more than *within*, before or afterwards.
        RecordConflict: when members have it.
        UnknownRecord: when the tenant has no such role of its own.
        UnknownTenant: when there is no such tenant.
    """
    hold(connection, tenant_id)
    before = permissions(connection, tenant_id, name)
    allow(within, before, BUILT_IN.get(name, frozenset()))
    here = tables.memberships.c
    used = select(here.user_id).where(
        here.tenant_id == tenant_id, here.role == name, here.ended_at.is_(None)
    )
    if name not in BUILT_IN and connection.execute(used.limit(1)).first() is not None:
        raise RecordConflict("members have this role: give them another one first")
    gone = delete(ROLES).where(ROLES.c.tenant_id == tenant_id, ROLES.c.name == name)
    if connection.execute(gone).rowcount == 0:
        raise UnknownRecord("the tenant has no such role of its own")
    announce(connection, f"tenant:{tenant_id}")


def hold(connection: Connection, tenant_id: str) -> None:
    """Let nobody else change who may what in a tenant until the transaction ends.

    Whoever changes a role, a membership, an invitation or a key begins with this. Two owners who
    leave in the same moment would else each see the other stay.

    Raises:
        DeletedTenant: when it is deleted.
        UnknownTenant: when there is no such tenant.
    """
    if not ids.possible(tenant_id):
        raise UnknownTenant("nobody by this id lives here")
    # It writes, and does not only lock: where transactions are REPEATABLE READ, the second one
    # then fails, and does not decide by what it saw before the first.
    holding = update(TENANTS).where(TENANTS.c.id == tenant_id)
    same = holding.values(changed_at=TENANTS.c.changed_at)
    status = connection.execute(same.returning(TENANTS.c.status)).scalar_one_or_none()
    if status is None:
        raise UnknownTenant("nobody by this id lives here")
    if status == "deleted":
        raise DeletedTenant("the tenant was deleted, and nobody belongs to it any more")


def allow(within: frozenset[str] | None, *wanted: frozenset[str]) -> None:
    """Let a member decide only on what he may himself.

    Raises:
        NotPermitted: for anything more.
    """
    if within is not None and not all(includes(within, each) for each in wanted):
        raise NotPermitted("nobody decides on a role that may do more than his own")


def existing(connection: Connection, tenant_id: str, role: str) -> str:
    """The role, when the tenant has it.

    Raises:
        UnknownRecord: when it has not.
    """
    known = listed(connection, tenant_id)
    if role not in known:
        raise UnknownRecord(f"this tenant has no such role; it has {', '.join(sorted(known))}")
    return role


def includes(mine: frozenset[str], wanted: frozenset[str]) -> bool:
    """Whether who has *mine* may do all of *wanted*, and so may give it to somebody."""
    return EVERYTHING in mine or wanted <= mine


def grantable(connection: Connection, tenant_id: str, by: str, role: str) -> bool:
    """Whether a member with the role *by* may give *role*: nobody gives more than he has."""
    own, wanted = (permissions(connection, tenant_id, each) for each in (by, role))
    return includes(own, wanted)
