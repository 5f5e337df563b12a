"""Quotas: what a tenant may use up, and has.

`partywall.control.metering` counts without a query for each use. What the control plane itself
counts, members, is counted here, in the transaction that adds one.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from partywall.control import tables
from partywall.control.database import clock, inserting, now
from partywall.errors import InvalidRecord, QuotaExceeded

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection
    from sqlalchemy.dialects import postgresql, sqlite

QUOTAS = tables.quotas

WINDOWS_S = {"requests_per_minute": 60, "requests_per_hour": 3600, "requests_per_day": 86400}
"""Kinds that begin anew with every window, and how long a window is."""

MEMBERS = "members"
"""The kind that the control plane counts itself; invitations that are open do not count."""

SHARE = 20
"""A process takes at most one in so many of what is left."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What a tenant may use up of one kind.

    Attributes:
        limit: None where there is none.
        used: in this window where there are windows; with what processes hold at this moment.
    """

    kind: str
    limit: int | None
    used: int


def set_limit(connection: Connection, tenant_id: str, kind: str, limit: int | None) -> Quota:
    """Let a tenant use up at most *limit*; None: as much as it likes.

    What processes hold at that moment may still be used: a block each.

    Raises:
        InvalidRecord: for a limit below nothing.
    """
    if limit is not None and limit < 0:
        raise InvalidRecord("a limit is 0 or more; none is said with None")
    connection.execute(
        inserted(connection, tenant_id, kind, limit).on_conflict_do_update(
            index_elements=[QUOTAS.c.tenant_id, QUOTAS.c.kind], set_={"limit": limit}
        )
    )
    row = connection.execute(select(QUOTAS.c.used).where(*of(tenant_id, kind))).scalar_one()
    return Quota(kind, limit, row)


def recount(connection: Connection, tenant_id: str, kind: str, used: int) -> None:
    """Say how much is really used: what was counted in the tenant's own data."""
    connection.execute(
        inserted(connection, tenant_id, kind, None, used=used).on_conflict_do_update(
            index_elements=[QUOTAS.c.tenant_id, QUOTAS.c.kind], set_={"used": used}
        )
    )


def usage(connection: Connection, tenant_id: str) -> list[Quota]:
    """What a tenant may use up and has used, by kind."""
    query = select(QUOTAS.c.kind, QUOTAS.c.limit, QUOTAS.c.used, QUOTAS.c.begun_at)
    rows = connection.execute(query.where(QUOTAS.c.tenant_id == tenant_id).order_by(QUOTAS.c.kind))
    return [
        Quota(kind, limit, 0 if over(kind, begun_at) else used)
        for kind, limit, used, begun_at in rows
    ]


def count(connection: Connection, tenant_id: str, kind: str, amount: int = 1) -> None:
    """Count a use in the transaction of what it is for: both are there, or neither.

    Raises:
        QuotaExceeded: when the limit leaves less than *amount*.
    """
    if reserved(connection, (tenant_id, kind), amount, 0, None, 0).refused:
        raise exceeded(kind, None)


def discount(connection: Connection, tenant_id: str, kind: str, amount: int = 1) -> None:
    """Count a use no more, in the transaction that ends it."""
    left = QUOTAS.c.used - amount
    changing = update(QUOTAS).where(*of(tenant_id, kind), QUOTAS.c.used >= amount)
    connection.execute(changing.values(used=left))


@dataclass(frozen=True, slots=True)
class Taken:
    """What the database gave: a use that is counted and a block beside it, or a refusal."""

    left: int
    window: dt.datetime | None
    refused: bool = False


def reserved(
    connection: Connection,
    key: tuple[str, str],
    amount: int,
    mine: int,
    window: dt.datetime | None,
    block: int,
) -> Taken:
    """Take what is wanted and a block beside it, under a lock of the quota's row.

    The server's clock says which window it is: a process whose own is wrong changes it for nobody.

    Args:
        connection: the transaction.
        key: tenant and kind.
        amount: what is wanted.
        mine: what the process holds of it, in *window*.
        window: the window that *mine* is of.
        block: the most to hold.
    """
    tenant_id, kind = key
    connection.execute(inserted(connection, tenant_id, kind, None).on_conflict_do_nothing())
    row = connection.execute(
        select(QUOTAS.c.limit, QUOTAS.c.used, QUOTAS.c.begun_at)
        .where(*of(tenant_id, kind))
        .with_for_update()
    ).one()
    begun = begun_at(kind, clock(connection)) if kind in WINDOWS_S else None
    if begun is not None and row.begun_at is not None:
        begun = max(begun, row.begun_at)  # another server's clock was ahead: never back
    if begun != window:
        mine = 0
    used = row.used if begun is None or row.begun_at == begun else 0
    left = None if row.limit is None else row.limit - used + mine
    if left is not None and left < amount:
        return Taken(mine, begun, refused=True)
    share = block if left is None else min(block, (left - amount) // SHARE // amount * amount)
    taking = update(QUOTAS).where(*of(tenant_id, kind))
    connection.execute(taking.values(used=used - mine + amount + share, begun_at=begun))
    return Taken(share, begun)


def inserted(
    connection: Connection, tenant_id: str, kind: str, limit: int | None, *, used: int = 0
) -> postgresql.Insert | sqlite.Insert:
    """The insert of a quota's row."""
    row = {"tenant_id": tenant_id, "kind": kind, "limit": limit, "used": used}
    return inserting(connection, QUOTAS).values(row)


def of(tenant_id: str, kind: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The condition of one quota."""
    return QUOTAS.c.tenant_id == tenant_id, QUOTAS.c.kind == kind


def begun_at(kind: str, moment: dt.datetime) -> dt.datetime | None:
    """When the window began that a moment is in."""
    length_s = WINDOWS_S.get(kind)
    if length_s is None:
        return None
    return dt.datetime.fromtimestamp(moment.timestamp() // length_s * length_s, dt.UTC)


def over(kind: str, window: dt.datetime | None) -> bool:
    """Whether a window has ended."""
    current = begun_at(kind, now())
    return current is not None and (window is None or window < current)


def ends_in_s(kind: str, window: dt.datetime | None) -> float | None:
    """When there is more by itself; None where there won't be."""
    if window is None:
        return None
    return max(0.0, window.timestamp() + WINDOWS_S[kind] - now().timestamp())


def exceeded(kind: str, retry_after_s: float | None) -> QuotaExceeded:
    """The refusal."""
    return QuotaExceeded(
        f"the tenant has used up what it may have of {kind}: partywall quotas set raises it",
        kind=kind,
        retry_after_s=retry_after_s,
    )
