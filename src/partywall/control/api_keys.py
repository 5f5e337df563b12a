"""API keys: what a program shows to act for a member of a tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from partywall.control import credentials, ids, memberships, roles, tables
from partywall.control.database import announce, new_id, now
from partywall.control.tenants import named
from partywall.errors import InvalidRecord, NotPermitted, UnknownRecord

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from sqlalchemy import Connection

API_KEYS = tables.api_keys
PREFIX = "pw_"
r"""How each begins; for a scanner of leaked secrets one is `\bpw_[0-9a-f]{72}\b`."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key; the secret itself is known to nobody but who made it.

    Attributes:
        user_id: the member for whom it acts, as long as he is one.
        permissions: what it may, of what the member may.
    """

    id: str
    tenant_id: str
    user_id: str
    name: str
    permissions: frozenset[str]
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None
    created_at: dt.datetime


COLUMNS = [API_KEYS.c[name] for name in ApiKey.__slots__]


def create(
    connection: Connection,
    tenant_id: str,
    user_id: str,
    name: str,
    *,
    permissions: Iterable[str],
    expires_at: dt.datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key; the secret is shown this once.

    Raises:
        DeletedTenant: when the tenant is deleted.
        InvalidRecord: for a name or a permission that can't be, or an end that has passed.
        NotPermitted: when the user is no member, or may do less than the key should.
        UnknownTenant: when there is no such tenant.
    """
    wanted = frozenset(permissions)
    called = named(name)
    moment = now()
    many = len(wanted) > roles.MOST
    if not wanted or many or not all(roles.PERMISSION.match(each) for each in wanted):
        raise InvalidRecord(
            f"a key has 1 to {roles.MOST} permissions, each written as in invoices:read"
        )
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= moment):
        raise InvalidRecord("a key ends at a moment to come, which is given with its zone")
    roles.hold(connection, tenant_id)  # so that the membership stands as long as this takes
    if not roles.includes(memberships.acting(connection, tenant_id, user_id), wanted):
        raise NotPermitted("a key may do no more than the member who makes it")
    secret = credentials.made(PREFIX)
    key = ApiKey(new_id(), tenant_id, user_id, called, wanted, expires_at, None, moment)
    row = {name: getattr(key, name) for name in ApiKey.__slots__}
    row |= {"permissions": sorted(wanted), "key_hash": credentials.digest(secret)}
    connection.execute(API_KEYS.insert(), row)
    announce(connection, f"key:{credentials.digest(secret).hex()}")
    return key, secret


def revoke(connection: Connection, tenant_id: str, key_id: str) -> None:
    """Let nobody in with this key from now on.

    Raises:
        UnknownRecord: when the tenant has no such key, or it is revoked already.
    """
    own = (
        API_KEYS.c.id == key_id,
        API_KEYS.c.tenant_id == tenant_id,
        API_KEYS.c.revoked_at.is_(None),
    )
    revoking = update(API_KEYS).where(*own).values(revoked_at=now())
    gone = None
    if ids.possible(tenant_id, key_id):
        gone = connection.execute(revoking.returning(API_KEYS.c.key_hash)).scalar_one_or_none()
    if gone is None:
        raise UnknownRecord("the tenant has no such key, or it is revoked already")
    announce(connection, f"key:{gone.hex()}")


def listed(connection: Connection, tenant_id: str) -> list[ApiKey]:
    """The keys of a tenant that are not revoked, newest first."""
    if not ids.possible(tenant_id):
        return []
    query = select(*COLUMNS).where(
        API_KEYS.c.tenant_id == tenant_id, API_KEYS.c.revoked_at.is_(None)
    )
    ordered = query.order_by(API_KEYS.c.created_at.desc(), API_KEYS.c.id)
    rows = (row._asdict() for row in connection.execute(ordered))
    return [ApiKey(**{**row, "permissions": frozenset(row["permissions"])}) for row in rows]


def plausible(secret: str) -> bool:
    """Whether this could be one of our secrets; no database is asked."""
    return credentials.plausible(secret, PREFIX)


def digest(secret: str) -> bytes:
    """What is kept of a secret."""
    return credentials.digest(secret)
