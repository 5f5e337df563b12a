"""Invitations: a way into a tenant for one address, once, for a while."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from partywall.control import credentials, ids, memberships, roles, tables, users
from partywall.control.addresses import addressed
from partywall.control.database import new_id, now
from partywall.errors import InvalidRecord, RecordConflict, UnknownRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from partywall.control.memberships import Membership

INVITATIONS = tables.invitations
PREFIX = "pw_invitation_"
VALID = dt.timedelta(days=7)
LONGEST = dt.timedelta(days=90)

REFUSED = (
    "there is no such invitation for this user: it may have been used, revoked, or have expired; "
    "ask for another one"
)
"""The answer to every token that does not hold."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation; its token is known to nobody but who was invited."""

    id: str
    tenant_id: str
    email: str
    role: str
    invited_by: str
    expires_at: dt.datetime
    accepted_at: dt.datetime | None
    revoked_at: dt.datetime | None


COLUMNS = [INVITATIONS.c[name] for name in Invitation.__slots__]
OPEN = INVITATIONS.c.accepted_at.is_(None) & INVITATIONS.c.revoked_at.is_(None)


def invite(
    connection: Connection,
    tenant_id: str,
    email: str,
    role: str,
    *,
    by: str,
    valid: dt.timedelta = VALID,
) -> tuple[Invitation, str]:
    """Invite somebody; an earlier invitation of the same address is void from now on.

    The token is shown this once. Send it to the address and nowhere else: whoever has it has shown
    that the address is his.

    Raises:
        DeletedTenant: when the tenant is deleted.
        InvalidRecord: for what is no address, or a time that can't be.
        NotPermitted: when *by* is no member, or the role may do more than his own.
        RecordConflict: when the address is a member's.
        UnknownRecord: when the tenant has no such role.
        UnknownTenant: when there is no such tenant.
    """
    address = addressed(email)
    if not dt.timedelta() < valid <= LONGEST:
        raise InvalidRecord(f"an invitation holds for {LONGEST.days} days at most")
    roles.hold(connection, tenant_id)
    roles.existing(connection, tenant_id, role)
    memberships.decide(connection, tenant_id, by, role)
    known = users.by_email(connection, email)
    if known is not None and memberships.get(connection, tenant_id, known.id) is not None:
        raise RecordConflict("this user is a member already")
    moment = now()
    same = (INVITATIONS.c.tenant_id == tenant_id, INVITATIONS.c.email_key == address.key)
    connection.execute(update(INVITATIONS).where(OPEN, *same).values(revoked_at=moment))
    token = credentials.made(PREFIX)
    expires_at = moment + valid
    made = Invitation(new_id(), tenant_id, address.shown, role, by, expires_at, None, None)
    row = {name: getattr(made, name) for name in Invitation.__slots__}
    row |= {"email_key": address.key, "created_at": moment}
    row |= {"token_hash": credentials.digest(token)}
    connection.execute(INVITATIONS.insert(), row)
    return made, token


def accept(connection: Connection, token: str, user_id: str) -> Membership:
    """Make the invited user a member; the invitation is used up by that, and by nothing else.

    Raises:
        DeletedTenant: when the tenant is deleted.
        NotPermitted: when who invited is no member any more, or may do less than the role now.
        RecordConflict: when the user is a member already.
        UnknownRecord: when there is no such invitation for this user, or it was used, revoked or
            has expired; it says the same for all of them.
    """
    before = found(connection, token)
    if before is None:
        raise UnknownRecord(REFUSED)
    roles.hold(connection, before.tenant_id)
    invitation = found(connection, token)  # of two at once the second finds it used here
    user = users.get(connection, user_id)
    if invitation is None or user is None or user.disabled_at is not None:
        raise UnknownRecord(REFUSED)
    if addressed(user.email).key != addressed(invitation.email).key:
        raise UnknownRecord(REFUSED)
    memberships.decide(connection, invitation.tenant_id, invitation.invited_by, invitation.role)
    member = memberships.add(connection, invitation.tenant_id, user_id, invitation.role)
    using = update(INVITATIONS).where(INVITATIONS.c.id == invitation.id)
    connection.execute(using.values(accepted_at=now()))
    return member


def found(connection: Connection, token: str) -> Invitation | None:
    """The invitation with this token, as long as it can be accepted."""
    if not credentials.plausible(token, PREFIX):
        return None
    query = select(*COLUMNS).where(
        INVITATIONS.c.token_hash == credentials.digest(token),
        INVITATIONS.c.expires_at > now(),
        OPEN,
    )
    row = connection.execute(query).first()
    return None if row is None else Invitation(*row)


def revoke(connection: Connection, tenant_id: str, invitation_id: str) -> None:
    """Take an invitation back.

    Raises:
        DeletedTenant: when the tenant is deleted.
        UnknownRecord: when the tenant has no such open invitation.
        UnknownTenant: when there is no such tenant.
    """
    roles.hold(connection, tenant_id)
    own = (INVITATIONS.c.id == invitation_id, INVITATIONS.c.tenant_id == tenant_id, OPEN)
    revoking = update(INVITATIONS).where(*own).values(revoked_at=now())
    if not ids.possible(invitation_id) or connection.execute(revoking).rowcount == 0:
        raise UnknownRecord("the tenant has no such open invitation")


def listed(connection: Connection, tenant_id: str) -> list[Invitation]:
    """The open invitations of a tenant, also those that have expired, newest first."""
    if not ids.possible(tenant_id):
        return []
    query = select(*COLUMNS).where(INVITATIONS.c.tenant_id == tenant_id, OPEN)
    ordered = query.order_by(INVITATIONS.c.created_at.desc(), INVITATIONS.c.id)
    return [Invitation(*row) for row in connection.execute(ordered)]
