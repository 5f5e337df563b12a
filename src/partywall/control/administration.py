"""Administrators: access to tenants that they are no members of, for a reason and for a while.

Three things must hold at each use: the user is an administrator, the request comes from a network
that the administrator is allowed to come from, and there is a grant for this tenant (or for all)
that has neither ended nor been revoked. Every use stands in the tenant's own audit log.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import delete, insert, or_, select, update

from partywall.control import audit
from partywall.control.database import announce, inserting, new_id, now
from partywall.control.tables import administrators, grants, tenants, users
from partywall.errors import InvalidRecord, NotPermitted, UnknownRecord, UnknownTenant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection, Select

Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"
Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"

LONGEST = dt.timedelta(hours=8)
"""How long a grant holds at most, where nothing else is said."""

LONGEST_REASON = 500
"""Characters: it goes into the log with every use."""

MOST_NETWORKS = 32

MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


@dataclass(frozen=True, slots=True)
class Administrator:
    """Somebody who may be granted access.

    Attributes:
        user_id: who.
        networks: from where, in CIDR form.
        created_at: since when.
    """

    user_id: str
    networks: tuple[str, ...]
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """An administrator's access.

    Attributes:
        tenant_id: to which tenant; None for each of them.
        reason: why; it goes into the tenant's log with every use.
        expires_at: until when.
        revoked_at: when it was taken back before that; None when it was not.
    """

    id: str
    user_id: str
    tenant_id: str | None
    reason: str
    expires_at: dt.datetime
    revoked_at: dt.datetime | None
    created_at: dt.datetime


def appoint(
    connection: Connection, user_id: str, networks: Iterable[str], *, by: str = ""
) -> Administrator:
    """Make a user an administrator, or give one other networks.

    This alone opens nothing: each tenant needs a `grant`.

    Args:
        connection: a transaction that writes.
        user_id: who.
        networks: from where they may act, ``10.1.0.0/16`` or ``2001:db8::/32``.
        by: who says so, for the log; "" for the application.

    Raises:
        UnknownRecord: when there is no such user, or it is disabled.
        InvalidRecord: when there is no network, or one that can't be, or all the world.
    """
    cidr = sorted({str(network(one)) for one in networks})
    if not 0 < len(cidr) <= MOST_NETWORKS:
        raise InvalidRecord(
            f"an administrator acts from somewhere: name 1 to {MOST_NETWORKS} networks"
        )
    enabled = select(users.c.id).where(users.c.id == user_id, users.c.disabled_at.is_(None))
    if connection.execute(enabled).one_or_none() is None:
        raise UnknownRecord("there is no such user who could be an administrator")
    row = inserting(connection, administrators).values(
        user_id=user_id, networks=cidr, created_at=now()
    )
    since = connection.execute(
        row.on_conflict_do_update(
            index_elements=["user_id"], set_={"networks": row.excluded.networks}
        ).returning(administrators.c.created_at)
    ).scalar_one()
    announce(connection, f"user:{user_id}")
    audit.record(
        connection,
        "",
        "administrator.appointed",
        actor=by,
        subject=user_id,
        detail={"networks": cidr},
    )
    return Administrator(user_id, tuple(cidr), since)


def dismiss(connection: Connection, user_id: str, *, by: str = "") -> None:
    """Make somebody an administrator no more; their grants end with it.

    Raises:
        UnknownRecord: when they are none.
    """
    gone = connection.execute(delete(administrators).where(administrators.c.user_id == user_id))
    if gone.rowcount == 0:
        raise UnknownRecord("this user is no administrator")
    announce(connection, f"user:{user_id}")
    for each in granted(connection, user_id=user_id):
        revoke(connection, each.id, by=by)
    audit.record(connection, "", "administrator.dismissed", actor=by, subject=user_id)


def listed(connection: Connection) -> list[Administrator]:
    """All administrators, by their ids."""
    rows = connection.execute(select(administrators).order_by(administrators.c.user_id))
    return [Administrator(r.user_id, tuple(r.networks), r.created_at) for r in rows]


def grant(
    connection: Connection,
    user_id: str,
    tenant_id: str | None,
    *,
    reason: str,
    until: dt.datetime,
    by: str = "",
    longest: dt.timedelta = LONGEST,
) -> Grant:
    """Let an administrator into a tenant, for a while.

    Args:
        connection: a transaction that writes.
        user_id: the administrator.
        tenant_id: the tenant; None for each of them.
        reason: why: a ticket and a sentence. It goes into the log, so it names no person's data.
        until: when it ends, at most *longest* from now.
        by: who grants it, for the log; "" for the administrator, by their own word.
        longest: how long a grant may hold.

    Raises:
        NotPermitted: when the user is no administrator.
        UnknownTenant: when there is no such tenant, or it was deleted.
        InvalidRecord: without a reason, or with an end that is past, or too far off.
    """
    why, begins = reason.strip(), now()
    if not why:
        raise InvalidRecord("access to a tenant needs a reason, which goes into its log")
    audit.told("reason", why, LONGEST_REASON)
    if until.tzinfo is None or not begins < until <= begins + longest:
        raise InvalidRecord(
            f"a grant ends after now and within {longest.total_seconds() / 3600:g} hours: give "
            "`until` as a moment with its zone"
        )
    appointed = select(administrators.c.user_id).where(administrators.c.user_id == user_id)
    if connection.execute(appointed.with_for_update(read=True)).one_or_none() is None:
        raise NotPermitted("this user is no administrator: `appoint` them, with their networks")
    present(connection, tenant_id)
    given = Grant(new_id(), user_id, tenant_id, why, until.astimezone(dt.UTC), None, begins)
    connection.execute(
        insert(grants).values({name: getattr(given, name) for name in Grant.__slots__})
    )
    audit.record(
        connection,
        tenant_id or "",
        "administration.granted",
        actor=by or user_id,
        subject=given.id,
        detail={
            "administrator": user_id,
            "reason": why,
            "until": given.expires_at.isoformat(timespec="seconds"),
        },
    )
    return given


def permitted(connection: Connection, user_id: str, tenant_id: str | None, source: str) -> Grant:
    """The grant under which an administrator acts now; each use goes into the tenant's log.

    Args:
        connection: a transaction that writes: the use is recorded in it, so commit it before
            acting.
        user_id: who.
        tenant_id: in which tenant; None for what concerns all of them, which a grant for one
            tenant does not allow.
        source: the address that the request comes from, of the last proxy that is trusted.

    Raises:
        NotPermitted: when one of the three does not hold. The message says the same for each, so
            that it tells a stranger nothing; record the attempt in a transaction of its own.
        UnknownTenant: when there is a grant for all, and no such tenant.
    """
    # FOR SHARE: who revokes, or dismisses, comes either before this use or after it.
    found = connection.execute(
        select(administrators.c.networks)
        .join(users, users.c.id == administrators.c.user_id)
        .where(administrators.c.user_id == user_id, users.c.disabled_at.is_(None))
        .with_for_update(read=True)
    ).one_or_none()
    given = standing(connection, user_id, tenant_id)
    if found is None or given is None or not allowed(source, found.networks):
        raise NotPermitted(
            "access to a tenant as an administrator needs a grant with a reason that has not "
            "ended, and a network that is allowed"
        )
    present(connection, tenant_id)
    audit.record(
        connection,
        tenant_id or "",
        "administration.used",
        actor=user_id,
        subject=given.id,
        source=audit.fitted(source),
        detail={"reason": given.reason},
    )
    return given


def standing(connection: Connection, user_id: str, tenant_id: str | None) -> Grant | None:
    """The grant that holds now, the tenant's own before one for all."""
    fits: ColumnElement[bool] = grants.c.tenant_id.is_(None)
    if tenant_id is not None:
        fits = or_(fits, grants.c.tenant_id == tenant_id)
    holding = (
        asked()
        .where(grants.c.user_id == user_id, fits)
        .where(grants.c.revoked_at.is_(None), grants.c.expires_at > now())
        .order_by(grants.c.tenant_id.is_(None), grants.c.expires_at.desc())
        .limit(1)
        .with_for_update(read=True)
    )
    found = connection.execute(holding).one_or_none()
    return Grant(**found._asdict()) if found else None


def revoke(connection: Connection, grant_id: str, *, by: str = "") -> None:
    """End a grant before its time; the next use is refused.

    Raises:
        UnknownRecord: when there is no such grant, or it was revoked already.
    """
    ended = connection.execute(
        update(grants)
        .where(grants.c.id == grant_id, grants.c.revoked_at.is_(None))
        .values(revoked_at=now())
        .returning(grants.c.tenant_id)
    ).one_or_none()
    if ended is None:
        raise UnknownRecord("there is no such grant that could be revoked")
    audit.record(
        connection,
        ended.tenant_id or "",
        "administration.revoked",
        actor=by,
        subject=grant_id,
    )


def granted(
    connection: Connection, *, user_id: str | None = None, tenant_id: str | None = None
) -> list[Grant]:
    """The grants that hold now, the oldest first; of one administrator, or for one tenant.

    Those for all tenants are among those for one.
    """
    query = asked().where(grants.c.revoked_at.is_(None), grants.c.expires_at > now())
    if user_id is not None:
        query = query.where(grants.c.user_id == user_id)
    if tenant_id is not None:
        query = query.where(or_(grants.c.tenant_id.is_(None), grants.c.tenant_id == tenant_id))
    rows = connection.execute(query.order_by(grants.c.created_at, grants.c.id))
    return [Grant(**row._asdict()) for row in rows]


def asked() -> Select[tuple[object, ...]]:
    """Grants, column by column."""
    return select(*(grants.c[name] for name in Grant.__slots__))


def present(connection: Connection, tenant_id: str | None) -> None:
    """Take a tenant that is there, or None for all.

    Raises:
        UnknownTenant: for another.
    """
    if tenant_id is None:
        return
    there = select(tenants.c.id).where(tenants.c.id == tenant_id, tenants.c.status != "deleted")
    if connection.execute(there).one_or_none() is None:
        raise UnknownTenant("there is no such tenant")


def network(text: str) -> Network:
    """A network that an administrator may come from.

    One of IPv4 that is written in IPv6 (``::ffff:10.0.0.0/104``) is the one of IPv4.

    Raises:
        InvalidRecord: when it is none, has bits beyond its prefix, or is all the world.
    """
    try:
        found: Network = ipaddress.ip_network(text)
    except (ValueError, TypeError) as error:
        raise InvalidRecord(
            f"{text!r} is no network: write 10.1.0.0/16 or 2001:db8::/32, with no bit set beyond "
            "the prefix"
        ) from error
    if isinstance(found, ipaddress.IPv6Network) and found.subnet_of(MAPPED):
        mapped = found.network_address.ipv4_mapped
        found = ipaddress.ip_network((str(mapped), found.prefixlen - MAPPED.prefixlen))
    if found.prefixlen == 0:
        raise InvalidRecord(f"{text} is all the world: name the networks that may")
    return found


def address(source: str) -> Address | None:
    """The address that a request comes from; None when it is none."""
    try:
        found = ipaddress.ip_address(source)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def allowed(source: str, networks: Iterable[str]) -> bool:
    """Whether *source* lies in one of the networks."""
    here = address(source)
    return here is not None and any(here in ipaddress.ip_network(one) for one in networks)
