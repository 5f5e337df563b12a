"""Tenants: who they are, and how they stand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from partywall.control import ids, tables
from partywall.control.database import announce, new_id, now
from partywall.control.frozen import frozen
from partywall.control.slugs import skeleton
from partywall.control.slugs import slug as valid
from partywall.errors import InvalidRecord, RecordConflict, TenantExists, UnknownTenant

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection, Row

    from partywall.runtime.directory import Standing

TENANTS = tables.tenants

BEFORE: dict[Standing, frozenset[Standing]] = {
    # a status -> those it may follow
    "provisioning": frozenset({"failed"}),
    "active": frozenset({"provisioning", "suspended"}),
    "suspended": frozenset({"active"}),
    "failed": frozenset({"provisioning"}),
    "deleted": frozenset({"suspended", "failed"}),
}
TAKEN = "the slug {slug!r} is taken, or looks like one that is: choose another one"
LONGEST_NAME = 200
LONGEST_REASON = 1000
LARGEST_SETTINGS, DEEPEST_SETTINGS = 16_384, 16
"""Bytes as JSON, and objects or lists in one another: each process keeps the settings of many
tenants in memory."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer organisation.

    Attributes:
        id: immutable; what places and rows are kept by.
        slug: what people type; "" once it is deleted.
        reason: why it failed or was suspended.
        placement: the name of its server, "" where there is but one.
        settings: the application's own; nobody can change them in place.
    """

    id: str
    slug: str
    name: str
    status: Standing
    reason: str
    placement: str
    settings: Mapping[str, Any] = field(hash=False)
    created_at: dt.datetime


COLUMNS = [TENANTS.c[name] for name in Tenant.__slots__]


def add(
    connection: Connection,
    *,
    slug: str,
    name: str,
    placement: str = "",
    settings: Mapping[str, object] | None = None,
) -> Tenant:
    """A new tenant, which is being provisioned.

    Raises:
        InvalidRecord: for a slug, a name or settings that can't be.
        TenantExists: when the slug, or one that looks like it, is taken.
    """
    looks = skeleton(valid(slug))
    moment = now()
    row = {
        "id": new_id(),
        "slug": slug,
        "skeleton": looks,
        "name": named(name),
        "status": "provisioning",
        "placement": placement,
        "settings": settled(settings or {}),
        "created_at": moment,
        "changed_at": moment,
    }
    try:
        with connection.begin_nested():
            connection.execute(TENANTS.insert(), row)
    except IntegrityError as error:
        raise TenantExists(TAKEN.format(slug=slug)) from error
    announce(connection, f"tenant:{row['id']}")
    return known(connection, str(row["id"]))


def free(connection: Connection, slug: str) -> None:
    """Refuse at once what `add` would refuse for its slug, as things stand now.

    Raises:
        InvalidRecord: for a slug that can't be.
        TenantExists: when the slug, or one that looks like it, is taken.
    """
    looks = skeleton(valid(slug))
    if connection.execute(select(TENANTS.c.id).where(TENANTS.c.skeleton == looks)).first():
        raise TenantExists(TAKEN.format(slug=slug))


def get(connection: Connection, tenant_id: str, *, lock: bool = False) -> Tenant | None:
    """The tenant with that id, also one that is deleted; with *lock* it stays as it is."""
    query = select(*COLUMNS).where(TENANTS.c.id == tenant_id)
    return one(connection.execute(query.with_for_update() if lock else query).first())


def several(connection: Connection, tenant_ids: Iterable[str]) -> list[Tenant]:
    """The tenants with those ids that are not deleted, by slug."""
    query = select(*COLUMNS).where(TENANTS.c.id.in_(tenant_ids), TENANTS.c.status != "deleted")
    return [made(row) for row in connection.execute(query.order_by(TENANTS.c.slug))]


def by_slug(connection: Connection, slug: str) -> Tenant | None:
    """The tenant that has that slug now."""
    if not written(slug):
        return None
    return one(connection.execute(select(*COLUMNS).where(TENANTS.c.slug == slug)).first())


def listed(
    connection: Connection, *, status: Standing | None = None, after: str = "", limit: int = 100
) -> list[Tenant]:
    """Tenants that are not deleted, by slug, the first *limit* after a slug.

    With status `deleted` those that are, by id, after an id.

    Raises:
        InvalidRecord: when *after* can be neither.
    """
    if after and not (ids.possible(after) if status == "deleted" else written(after)):
        raise InvalidRecord("`after` is the slug, or of a deleted tenant the id, that came last")
    if status == "deleted":
        key = TENANTS.c.id
        query = select(*COLUMNS).where(TENANTS.c.status == status)
        if after:
            query = query.where(key > after)
    else:
        key = TENANTS.c.slug
        query = select(*COLUMNS).where(key > after)
        if status is not None:
            query = query.where(TENANTS.c.status == status)
    return [made(row) for row in connection.execute(query.order_by(key).limit(limit))]


def change(
    connection: Connection,
    tenant_id: str,
    *,
    name: str | None = None,
    settings: Mapping[str, object] | None = None,
) -> Tenant:
    """Give a tenant another name, or other settings.

    Raises:
        InvalidRecord: for a name or settings that can't be.
        UnknownTenant: when there is no such tenant, or it is deleted.
    """
    values: dict[str, object] = {"changed_at": now()}
    if name is not None:
        values["name"] = named(name)
    if settings is not None:
        values["settings"] = settled(settings)
    living = (TENANTS.c.id == tenant_id, TENANTS.c.status != "deleted")
    if connection.execute(update(TENANTS).where(*living).values(values)).rowcount == 0:
        raise UnknownTenant("nobody by this id lives here")
    announce(connection, f"tenant:{tenant_id}")
    return known(connection, tenant_id)


def set_status(
    connection: Connection, tenant_id: str, status: Standing, *, reason: str = ""
) -> Tenant:
    """Bring a tenant from one status to the next, in one statement.

    A tenant that is deleted gives its slug free; its id is never given out again.

    Raises:
        UnknownTenant: when there is no such tenant.
        RecordConflict: when it stands so that this can't follow.
    """
    values: dict[str, object] = {
        "status": status,
        "reason": reason[:LONGEST_REASON].replace("\0", "\ufffd"),
        "changed_at": now(),
    }
    if status == "deleted":
        values |= {"slug": None, "skeleton": None, "former_slug": TENANTS.c.slug}
    may = [TENANTS.c.id == tenant_id, TENANTS.c.status.in_(BEFORE[status])]
    changed = connection.execute(update(TENANTS).where(*may).values(values))
    if changed.rowcount == 0:
        found = get(connection, tenant_id)
        if found is None:
            raise UnknownTenant("nobody by this id lives here")
        raise RecordConflict(f"the tenant is {found.status}, after which {status} can't follow")
    announce(connection, f"tenant:{tenant_id}")
    return known(connection, tenant_id)


def known(connection: Connection, tenant_id: str, *, lock: bool = False) -> Tenant:
    """As `get`, the tenant with that id.

    Raises:
        UnknownTenant: when there is none.
    """
    found = get(connection, tenant_id, lock=lock)
    if found is None:
        raise UnknownTenant("nobody by this id lives here")
    return found


def named(name: str) -> str:
    """A name that people can read.

    Raises:
        InvalidRecord: for none, a very long one, or one with control characters.
    """
    trimmed = name.strip()
    if not trimmed or len(trimmed) > LONGEST_NAME or not trimmed.isprintable():
        raise InvalidRecord(f"a name has 1 to {LONGEST_NAME} printable characters")
    return trimmed


def settled(settings: Mapping[str, object]) -> dict[str, object]:
    """Settings as they are kept.

    Raises:
        InvalidRecord: when a database could not keep them, or an answer could not hold them.
    """
    found = dict(settings)
    try:  # numbers that are none, and halves of characters, are no JSON
        size = len(json.dumps(found, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError):
        size = LARGEST_SETTINGS + 1
    if size > LARGEST_SETTINGS or not holds(found, DEEPEST_SETTINGS):
        raise InvalidRecord(
            f"settings are JSON of at most {LARGEST_SETTINGS} bytes and {DEEPEST_SETTINGS} levels, "
            "with finite numbers and text without NUL"
        )
    return found


def holds(value: object, levels: int) -> bool:
    """Whether there is no NUL in any text, and nothing deeper than that."""
    match value:
        case str():
            return "\0" not in value
        case dict():
            parts = [*value, *value.values()]
        case list() | tuple():
            parts = [*value]
        case _:
            return True
    return levels > 0 and all(holds(each, levels - 1) for each in parts)


def written(slug: str) -> bool:
    """Whether a database can be asked for it; what it can't be asked for, nobody has."""
    return slug.isascii() and slug.isprintable()


def one(row: Row[Any] | None) -> Tenant | None:
    """A row as a tenant."""
    return None if row is None else made(row)


def made(row: Row[Any]) -> Tenant:
    """A row as a tenant; a deleted one has no slug."""
    values = dict(zip(Tenant.__slots__, row, strict=True))
    settings = frozen(values["settings"])
    return Tenant(**{**values, "slug": values["slug"] or "", "settings": settings})
