"""The questions that `Access` answers: each one short transaction, and the keys it hangs on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from sqlalchemy import select

from partywall.control import domains, ids, roles, tenants
from partywall.control.roles import EVERYTHING
from partywall.control.tables import api_keys, memberships, users
from partywall.control.tables import tenants as tenant_rows

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection, Select

    from partywall.control.tenants import Tenant

V_co = TypeVar("V_co", covariant=True)

UUID = ids.SHAPE
"""As ids are written; a tenant has no second name by writing it otherwise."""

NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\Z")
"""What a slug or a domain can be at most."""

HASH = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Member:
    """A user in a tenant.

    Attributes:
        role: its name.
        version: of the membership; a token names it, and one of another version is void.
        permissions: of the role; `*` among them stands for all.
    """

    tenant_id: str
    user_id: str
    role: str
    version: int
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Key:
    """An API key that may be used.

    Attributes:
        user_id: under whose membership it acts.
        permissions: what it was given, as far as its user has it.
    """

    id: str
    tenant_id: str
    user_id: str
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Expiring:
    """An API key with the end of its time."""

    key: Key
    expires_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Found(Generic[V_co]):
    """An answer, None where there is nothing, and the keys whose announcement ends it."""

    value: V_co | None
    keys: frozenset[str]


class Question(Generic[V_co]):
    """Something that can be asked of the database.

    Args:
        shape: what all that is asked for looks like; what doesn't, nobody has.
        read: finds the answer.
    """

    def __init__(self, shape: re.Pattern[str], read: Callable[..., Found[V_co]]) -> None:
        self.read = read
        self._shape = shape

    def possible(self, asked: Iterable[str]) -> bool:
        """Whether there can be an answer."""
        return all(self._shape.match(each) for each in asked)


def question(
    shape: re.Pattern[str],
) -> Callable[[Callable[..., Found[V_co]]], Question[V_co]]:
    """Make a question of a function that reads its answer."""
    return lambda read: Question(shape, read)


def found(value: V_co | None, *keys: str) -> Found[V_co]:
    """An answer that hangs on *keys*."""
    return Found(value, frozenset(keys))


def of_tenant(value: Tenant | None) -> Found[Tenant]:
    """A tenant, or nobody, whom any change of a tenant may make somebody."""
    return found(value, f"tenant:{value.id}" if value else "tenant:")


@question(UUID)
def tenant(connection: Connection, tenant_id: str) -> Found[Tenant]:
    """The tenant with that id, also one that is deleted."""
    return of_tenant(tenants.get(connection, tenant_id))


@question(NAME)
def tenant_by_slug(connection: Connection, slug: str) -> Found[Tenant]:
    """The tenant that has that slug now."""
    return of_tenant(tenants.by_slug(connection, slug))


@question(NAME)
def tenant_by_domain(connection: Connection, name: str) -> Found[Tenant]:
    """The tenant that has verified that domain."""
    tenant_id = domains.by_name(connection, name)
    return of_tenant(tenants.get(connection, tenant_id) if tenant_id else None)


def standing_memberships() -> Select[tuple[str, str, str, int]]:
    """Memberships that have not ended, of users that may log in, in tenants that exist."""
    return (
        select(
            memberships.c.tenant_id, memberships.c.user_id, memberships.c.role,
            memberships.c.version,
        )
        .join(users, users.c.id == memberships.c.user_id)
        .join(tenant_rows, tenant_rows.c.id == memberships.c.tenant_id)
        .where(
            memberships.c.ended_at.is_(None),
            users.c.disabled_at.is_(None),
            tenant_rows.c.status != "deleted",
        )
    )  # fmt: skip


def membership(connection: Connection, tenant_id: str, user_id: str) -> Found[Member]:
    """The user as a member of the tenant."""
    keys = (f"tenant:{tenant_id}", f"user:{user_id}")
    row = connection.execute(
        standing_memberships().where(
            memberships.c.tenant_id == tenant_id, memberships.c.user_id == user_id
        )
    ).first()
    if row is None:
        return found(None, *keys)
    permissions = roles.permissions(connection, tenant_id, row.role)
    return found(Member(tenant_id, user_id, row.role, row.version, permissions), *keys)


member = Question(UUID, membership)


@question(UUID)
def user_version(connection: Connection, user_id: str) -> Found[int]:
    """The version of the user, who is there and may log in."""
    query = select(users.c.version).where(users.c.id == user_id, users.c.disabled_at.is_(None))
    return found(connection.execute(query).scalar(), f"user:{user_id}")


@question(UUID)
def tenants_of(connection: Connection, user_id: str) -> Found[tuple[str, ...]]:
    """The ids of the tenants whose member the user is, in order."""
    rows = connection.execute(standing_memberships().where(memberships.c.user_id == user_id))
    ids = tuple(sorted(row.tenant_id for row in rows))
    return found(ids, f"user:{user_id}", *(f"tenant:{each}" for each in ids))


@question(HASH)
def key(connection: Connection, hashed: str) -> Found[Expiring]:
    """The API key with that hash, unless it was revoked or its user is no member any more."""
    row = connection.execute(
        select(api_keys).where(api_keys.c.key_hash == bytes.fromhex(hashed))
    ).first()
    if row is None:
        return found(None, f"key:{hashed}")
    its = membership(connection, row.tenant_id, row.user_id)
    keys = (f"key:{hashed}", *its.keys)
    if row.revoked_at is not None or its.value is None:
        return found(None, *keys)
    given = frozenset(row.permissions)
    value = Key(row.id, row.tenant_id, row.user_id, shared(given, its.value.permissions))
    return found(Expiring(value, row.expires_at), *keys)


def shared(given: frozenset[str], own: frozenset[str]) -> frozenset[str]:
    """What of *given* somebody has whose permissions are *own*."""
    if EVERYTHING in own:
        return given
    return own if EVERYTHING in given else given & own
