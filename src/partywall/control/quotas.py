"""Quotas: what a tenant may use up, counted exactly and without a query for each use.

A process takes a block of what is left in one query and hands it out from memory. Blocks shrink
as the limit comes near, down to what is asked for, and what a process does not use it gives back a
moment later: so the limit is reached, and never exceeded, whatever the number of processes. What a
killed process held counts as used, in a window until that ends, else until `recount`.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from partywall.control import tables
from partywall.control.database import now
from partywall.errors import InvalidRecord, QuotaExceeded, Unavailable, UnknownTenant

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from partywall.control.database import Database

QUOTAS = tables.quotas

WINDOWS_S = {"requests_per_minute": 60, "requests_per_hour": 3600, "requests_per_day": 86400}
"""Kinds that begin anew with every window, and how long a window is."""

BLOCK = 100
"""The most that a process takes at once."""

SHARE = 20
"""A process takes at most one in so many of what is left."""

IDLE_S = 1.0
"""After how long a process gives back what it does not use, and asks again for what ran out."""


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


@dataclass(slots=True)
class Block:
    """What a process holds of a quota."""

    left: int
    window: dt.datetime | None
    touched_s: float


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


class Meter:
    """Counts what tenants use; one for the life of the process.

    Args:
        database: the control plane's.
        block: the most to hold of one quota at once; 1 counts each use in a query of its own.
    """

    def __init__(self, database: Database, *, block: int = BLOCK) -> None:
        self._database = database
        self._block = block
        self._blocks: dict[tuple[str, str], Block] = {}
        self._out_until: dict[tuple[str, str], tuple[float, float | None]] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, tenant_id: str, kind: str, amount: int = 1) -> None:
        """Count a use.

        Raises:
            QuotaExceeded: when the limit leaves less than *amount*; nothing is counted then.
            UnknownTenant: when there is no such tenant.
            Unavailable: when the control plane's database is down.
        """
        if not self._from_memory(tenant_id, kind, amount):
            self._from_database(tenant_id, kind, amount)

    async def async_take(self, tenant_id: str, kind: str, amount: int = 1) -> None:
        """As `take`; a thread is only taken where the database has to be asked."""
        if not self._from_memory(tenant_id, kind, amount):
            await asyncio.to_thread(self._from_database, tenant_id, kind, amount)

    def give_back(self, tenant_id: str, kind: str, amount: int = 1) -> None:
        """Count a use no more: a row was deleted, a file removed.

        Raises:
            Unavailable: when the control plane's database is down.
        """
        if kind in WINDOWS_S:
            return  # what was asked was asked
        with self._lock:
            self._out_until.pop((tenant_id, kind), None)
            held = self._blocks.get((tenant_id, kind))
            if held is not None and held.left + amount <= self._block:
                held.left += amount
                return
        try:
            self._returned(tenant_id, kind, amount, None)
        except SQLAlchemyError as error:
            raise unavailable() from error

    def close(self) -> None:
        """Give back all that was not used."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        self._give_back(idle_s=0.0)

    def __enter__(self) -> Self:
        """This meter; the block closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _from_memory(self, tenant_id: str, kind: str, amount: int) -> bool:
        key = (tenant_id, kind)
        with self._lock:
            out = self._out_until.get(key)
            if out is not None:
                if time.monotonic() < out[0] and amount > 0:
                    raise exceeded(kind, out[1])
                del self._out_until[key]
            held = self._blocks.get(key)
            if held is None or held.left < amount or over(kind, held.window):
                return False
            held.left -= amount
            held.touched_s = time.monotonic()
            return True

    def _from_database(self, tenant_id: str, kind: str, amount: int) -> None:
        key = (tenant_id, kind)
        with self._lock:  # of what this process holds, nobody takes meanwhile
            held = self._blocks.pop(key, None)
        mine = held.left if held is not None and not over(kind, held.window) else 0
        window = held.window if held is not None else None
        try:
            with self._database.begin() as connection:
                taken = reserved(connection, key, amount, mine, window, self._block)
        except IntegrityError as error:
            raise UnknownTenant("nobody by this id lives here") from error
        except SQLAlchemyError as error:
            with self._lock:
                if held is not None:
                    self._blocks.setdefault(key, held)
            raise unavailable() from error
        with self._lock:
            now_held = self._blocks.setdefault(key, Block(0, taken.window, time.monotonic()))
            if now_held.window != taken.window:
                now_held.left, now_held.window = 0, taken.window
            now_held.left += taken.left
            now_held.touched_s = time.monotonic()
            if taken.refused:
                wait_s = ends_in_s(kind, taken.window)
                self._out_until[key] = (time.monotonic() + min(wait_s or IDLE_S, IDLE_S), wait_s)
            self._watched()
        if taken.refused:
            raise exceeded(kind, ends_in_s(kind, taken.window))

    def _watched(self) -> None:
        """Have a thread that gives back what is not used, as long as there is anything."""
        if self._thread is None and not self._closing.is_set():
            self._thread = threading.Thread(
                target=self._returning, name="partywall meter", daemon=True
            )
            self._thread.start()

    def _returning(self) -> None:
        while not self._closing.wait(IDLE_S):
            with contextlib.suppress(SQLAlchemyError):  # a database that is down comes back
                self._give_back(idle_s=IDLE_S)

    def _give_back(self, *, idle_s: float) -> None:
        moment = time.monotonic()
        with self._lock:
            idle = {
                key: held for key, held in self._blocks.items() if moment - held.touched_s >= idle_s
            }
            for key in idle:
                del self._blocks[key]
            late = [key for key, (until, _) in self._out_until.items() if until < moment]
            for key in late:
                del self._out_until[key]
        for (tenant_id, kind), held in idle.items():
            if held.left:
                self._returned(tenant_id, kind, held.left, held.window)

    def _returned(self, tenant_id: str, kind: str, amount: int, window: dt.datetime | None) -> None:
        same = QUOTAS.c.begun_at.is_(None) if window is None else QUOTAS.c.begun_at == window
        left = QUOTAS.c.used - amount
        with self._database.begin() as connection:
            changing = update(QUOTAS).where(*of(tenant_id, kind), same, QUOTAS.c.used >= amount)
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
    begun = begun_at(kind)
    if begun is not None and row.begun_at is not None:
        begun = max(begun, row.begun_at)  # another process's clock is ahead: never back
    if begun != window:
        mine = 0
    used = row.used if begun is None or row.begun_at == begun else 0
    left = None if row.limit is None else row.limit - used + mine
    if left is not None and left < amount:
        return Taken(mine, begun, refused=True)
    share = block if left is None else min(block, (left - amount) // SHARE)
    taking = update(QUOTAS).where(*of(tenant_id, kind))
    connection.execute(taking.values(used=used - mine + amount + share, begun_at=begun))
    return Taken(share, begun)


def inserted(
    connection: Connection, tenant_id: str, kind: str, limit: int | None, *, used: int = 0
) -> postgresql.Insert | sqlite.Insert:
    """The insert of a quota's row."""
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(QUOTAS)
    row = {"tenant_id": tenant_id, "kind": kind, "limit": limit, "used": used}
    made: postgresql.Insert | sqlite.Insert = insert.values(row)
    return made


def of(tenant_id: str, kind: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The condition of one quota."""
    return QUOTAS.c.tenant_id == tenant_id, QUOTAS.c.kind == kind


def begun_at(kind: str) -> dt.datetime | None:
    """When the window began that this moment is in."""
    length_s = WINDOWS_S.get(kind)
    if length_s is None:
        return None
    return dt.datetime.fromtimestamp(now().timestamp() // length_s * length_s, dt.UTC)


def over(kind: str, window: dt.datetime | None) -> bool:
    """Whether a window has ended."""
    current = begun_at(kind)
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


def unavailable() -> Unavailable:
    """The error of a control plane that is down."""
    return Unavailable("the control plane's database does not answer, and nothing is counted")
