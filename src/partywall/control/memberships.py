"""Memberships: which user belongs to which tenant, and as what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from partywall.control import ids, quotas, tables, users
from partywall.control.database import announce, inserting, now
from partywall.control.roles import OWNER, allow, existing, hold, permissions
from partywall.control.users import User
from partywall.errors import NotPermitted, RecordConflict, UnknownRecord

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Connection

MEMBERSHIPS = tables.memberships
USERS = tables.users
API_KEYS = tables.api_keys
INVITATIONS = tables.invitations


@dataclass(frozen=True, slots=True)
class Membership:
    """A user in a tenant.

    Attributes:
        version: counts up when the role changes, when the membership ends, and when it is begun
            again; a token that names an earlier one is void.
    """

    tenant_id: str
    user_id: str
    role: str
    version: int


COLUMNS = [MEMBERSHIPS.c[name] for name in Membership.__slots__]
ACTIVE = MEMBERSHIPS.c.ended_at.is_(None)


def add(connection: Connection, tenant_id: str, user_id: str, role: str) -> Membership:
    """Make a user a member, or again; the version goes on from an earlier membership's.

    Raises:
        DeletedTenant: when the tenant is deleted.
        QuotaExceeded: when the tenant may have no more members.
        RecordConflict: when the user is one already.
        UnknownRecord: when the tenant has no such role, or there is no such user.
        UnknownTenant: when there is no such tenant.
    """
    hold(connection, tenant_id)
    existing(connection, tenant_id, role)
    somebody = select(USERS.c.id).where(USERS.c.id == user_id)
    if not ids.possible(user_id) or connection.execute(somebody).first() is None:
        raise UnknownRecord("there is no such user")
    insert = inserting(connection, MEMBERSHIPS)
    adding = insert.values(
        tenant_id=tenant_id, user_id=user_id, role=role, version=1, created_at=now()
    )
    again = adding.on_conflict_do_update(
        index_elements=[MEMBERSHIPS.c.tenant_id, MEMBERSHIPS.c.user_id],
        set_={
            "role": adding.excluded.role,
            "version": MEMBERSHIPS.c.version + 1,
            "ended_at": None,
            "created_at": adding.excluded.created_at,
        },
        where=~ACTIVE,
    )
    row = connection.execute(again.returning(*COLUMNS)).first()
    if row is None:
        raise RecordConflict("this user is a member already: change the role instead")
    quotas.count(connection, tenant_id, quotas.MEMBERS)
    said(connection, tenant_id, user_id)
    return Membership(*row)


def get(connection: Connection, tenant_id: str, user_id: str) -> Membership | None:
    """The membership, when it has not ended."""
    if not ids.possible(tenant_id, user_id):
        return None
    query = select(*COLUMNS).where(ACTIVE, *between(tenant_id, user_id))
    row = connection.execute(query).first()
    return None if row is None else Membership(*row)


def listed(connection: Connection, tenant_id: str) -> list[Membership]:
    """The members of a tenant, those longest in it first."""
    if not ids.possible(tenant_id):
        return []
    query = select(*COLUMNS).where(ACTIVE, MEMBERSHIPS.c.tenant_id == tenant_id)
    ordered = query.order_by(MEMBERSHIPS.c.created_at, MEMBERSHIPS.c.user_id)
    return [Membership(*row) for row in connection.execute(ordered)]


def people(connection: Connection, tenant_id: str) -> list[tuple[Membership, User]]:
    """As `listed`, with who the members are."""
    if not ids.possible(tenant_id):
        return []
    query = select(*COLUMNS, *users.COLUMNS).join(USERS, USERS.c.id == MEMBERSHIPS.c.user_id)
    here = query.where(ACTIVE, MEMBERSHIPS.c.tenant_id == tenant_id)
    ordered = here.order_by(MEMBERSHIPS.c.created_at, MEMBERSHIPS.c.user_id)
    width = len(COLUMNS)
    rows = (tuple(row) for row in connection.execute(ordered))
    return [(Membership(*row[:width]), User(*row[width:])) for row in rows]


def of_user(connection: Connection, user_id: str) -> list[Membership]:
    """The memberships of a user, by tenant."""
    if not ids.possible(user_id):
        return []
    query = select(*COLUMNS).where(ACTIVE, MEMBERSHIPS.c.user_id == user_id)
    ordered = query.order_by(MEMBERSHIPS.c.tenant_id)
    return [Membership(*row) for row in connection.execute(ordered)]


def change_role(
    connection: Connection, tenant_id: str, user_id: str, role: str, *, by: str = ""
) -> Membership:
    """Give a member another role.

    Args:
        connection: the transaction.
        tenant_id: the tenant.
        user_id: the member.
        role: the new role.
        by: the member who does it, "" for the operator. That he may change members at all is for
            the caller to ask.

    Raises:
        NotPermitted: when the old role or the new one may do more than that of *by*.
        RecordConflict: when it would leave the tenant without an owner.
        UnknownRecord: when there is no such member, or no such role.
        UnknownTenant: when there is no such tenant.
    """
    before = standing(connection, tenant_id, user_id)
    existing(connection, tenant_id, role)
    if by:
        decide(connection, tenant_id, by, before.role, role)
    if before.role == role:
        return before
    leave_an_owner(connection, before)
    changing = update(MEMBERSHIPS).where(ACTIVE, *between(tenant_id, user_id))
    changed = changing.values(role=role, version=MEMBERSHIPS.c.version + 1)
    row = connection.execute(changed.returning(*COLUMNS)).one()
    said(connection, tenant_id, user_id)
    return Membership(*row)


def end(connection: Connection, tenant_id: str, user_id: str, *, by: str = "") -> None:
    """End a membership, and with it the user's tokens, API keys and invitations in this tenant.

    Args:
        connection: the transaction.
        tenant_id: the tenant.
        user_id: the member.
        by: the member who does it, "" for the operator. That he may remove others at all is for
            the caller to ask.

    Raises:
        NotPermitted: when *by* ends another's membership, whose role may do more than his own.
        RecordConflict: when it would leave the tenant without an owner.
        UnknownRecord: when there is no such member.
        UnknownTenant: when there is no such tenant.
    """
    before = standing(connection, tenant_id, user_id)
    if by and by != user_id:
        decide(connection, tenant_id, by, before.role)
    leave_an_owner(connection, before)
    moment = now()
    ending = update(MEMBERSHIPS).where(ACTIVE, *between(tenant_id, user_id))
    connection.execute(ending.values(ended_at=moment, version=MEMBERSHIPS.c.version + 1))
    quotas.discount(connection, tenant_id, quotas.MEMBERS)
    revoke_all(connection, before, moment)
    said(connection, tenant_id, user_id)


def revoke_all(connection: Connection, ended: Membership, moment: dt.datetime) -> None:
    """Void what a member leaves behind: it would hold again when the membership is begun again."""
    keys = update(API_KEYS).where(
        API_KEYS.c.tenant_id == ended.tenant_id,
        API_KEYS.c.user_id == ended.user_id,
        API_KEYS.c.revoked_at.is_(None),
    )
    revoked = connection.execute(keys.values(revoked_at=moment).returning(API_KEYS.c.key_hash))
    announce(connection, *(f"key:{digest.hex()}" for digest in revoked.scalars()))
    invitations = update(INVITATIONS).where(
        INVITATIONS.c.tenant_id == ended.tenant_id,
        INVITATIONS.c.invited_by == ended.user_id,
        INVITATIONS.c.accepted_at.is_(None),
        INVITATIONS.c.revoked_at.is_(None),
    )
    connection.execute(invitations.values(revoked_at=moment))


def standing(connection: Connection, tenant_id: str, user_id: str) -> Membership:
    """The membership, whose tenant is held until the transaction ends.

    Args:
        connection: the transaction.
        tenant_id: the tenant.
        user_id: the member.

    Raises:
        DeletedTenant: when the tenant is deleted.
        UnknownRecord: when there is no such member.
        UnknownTenant: when there is no such tenant.
    """
    hold(connection, tenant_id)
    found = get(connection, tenant_id, user_id)
    if found is None:
        raise UnknownRecord("this user is no member of the tenant")
    return found


def leave_an_owner(connection: Connection, leaving: Membership) -> None:
    """Let a member of a tenant that is held go, or be no owner any more, when another one is.

    Raises:
        RecordConflict: when there is no other owner who can log in.
    """
    if leaving.role != OWNER:
        return
    others = (
        select(func.count())
        .select_from(MEMBERSHIPS.join(USERS, USERS.c.id == MEMBERSHIPS.c.user_id))
        .where(
            ACTIVE,
            MEMBERSHIPS.c.tenant_id == leaving.tenant_id,
            MEMBERSHIPS.c.user_id != leaving.user_id,
            MEMBERSHIPS.c.role == OWNER,
            USERS.c.disabled_at.is_(None),
        )
    )
    if not connection.execute(others).scalar_one():
        raise RecordConflict(
            "this is the tenant's only owner: make somebody else one first, or remove the tenant"
        )


def acting(connection: Connection, tenant_id: str, user_id: str) -> frozenset[str]:
    """What a user may do in a tenant now; nothing for who is no member, or is disabled."""
    member = get(connection, tenant_id, user_id)
    able = select(USERS.c.id).where(USERS.c.id == user_id, USERS.c.disabled_at.is_(None))
    if member is None or connection.execute(able).first() is None:
        return frozenset()
    return permissions(connection, tenant_id, member.role)


def decide(connection: Connection, tenant_id: str, by: str, *roles: str) -> None:
    """Let a member decide only on roles that may do no more than his own.

    Raises:
        NotPermitted: for any other role, and for who is no member.
    """
    own = acting(connection, tenant_id, by)
    if not own:
        raise NotPermitted("only a member who may do something decides on others")
    allow(own, *(permissions(connection, tenant_id, role) for role in roles))


def between(tenant_id: str, user_id: str) -> tuple[Any, Any]:
    """The condition of one membership."""
    return MEMBERSHIPS.c.tenant_id == tenant_id, MEMBERSHIPS.c.user_id == user_id


def said(connection: Connection, tenant_id: str, user_id: str) -> None:
    """Announce that a membership has changed."""
    announce(connection, f"user:{user_id}", f"tenant:{tenant_id}")
