"""Metering: counting what tenants use, exactly and without a query for each use.

A process takes a block of what is left in one query and hands it out from memory. Blocks shrink
as the limit comes near, down to what is asked for, and what a process does not use it gives back a
moment later: so the limit is reached, and never exceeded, whatever the number of processes. What a
killed process held counts as used, in a window until that ends, else until `quotas.recount`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sqlalchemy import update
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from partywall.control.quotas import QUOTAS, WINDOWS_S, ends_in_s, exceeded, of, over, reserved
from partywall.errors import InvalidRecord, Unavailable, UnknownTenant

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Iterator

    from partywall.control.database import Database

BLOCK = 100
"""The most that a process takes at once, in uses like the one that is asked for."""

ASKING = 64
"""How many quotas a process may ask for at once."""

IDLE_S = 1.0
"""After how long a process gives back what it does not use, and asks again for what ran out."""


@dataclass(slots=True)
class Block:
    """What a process holds of a quota."""

    left: int
    window: dt.datetime | None
    touched_s: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was refused a moment ago, and is again without a query until *until_s*."""

    amount: int
    until_s: float
    window: dt.datetime | None


class Meter:
    """Counts what tenants use; one for the life of the process.

    Args:
        database: the control plane's.
        block: the most to hold of one quota at once, in uses like the one that is asked for; 1
            counts each use in a query of its own.
    """

    def __init__(self, database: Database, *, block: int = BLOCK) -> None:
        self._database = database
        self._block = block
        self._blocks: dict[tuple[str, str], Block] = {}
        self._refused: dict[tuple[str, str], Refusal] = {}
        self._lock = threading.Lock()
        # While one asks, others of the same quota wait: they would not see what it has in hand.
        self._asking = [threading.Lock() for _ in range(ASKING)]
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, tenant_id: str, kind: str, amount: int = 1) -> None:
        """Count a use.

        Raises:
            InvalidRecord: for an amount below nothing.
            QuotaExceeded: when the limit leaves less than *amount*; nothing is counted then.
            UnknownTenant: when there is no such tenant.
            Unavailable: when the control plane's database is down.
        """
        if counts(amount) and not self._from_memory(tenant_id, kind, amount):
            self._from_database(tenant_id, kind, amount)

    async def async_take(self, tenant_id: str, kind: str, amount: int = 1) -> None:
        """As `take`; a thread is only taken where the database has to be asked."""
        if counts(amount) and not self._from_memory(tenant_id, kind, amount):
            await asyncio.to_thread(self._from_database, tenant_id, kind, amount)

    def give_back(self, tenant_id: str, kind: str, amount: int = 1) -> None:
        """Count a use no more: a row was deleted, a file removed, and that is committed.

        Raises:
            Unavailable: when the control plane's database is down.
        """
        if counts(amount) and not self._to_memory(tenant_id, kind, amount):
            self._to_database(tenant_id, kind, amount)

    async def async_give_back(self, tenant_id: str, kind: str, amount: int = 1) -> None:
        """As `give_back`; a thread is only taken where the database has to be told."""
        if counts(amount) and not self._to_memory(tenant_id, kind, amount):
            await asyncio.to_thread(self._to_database, tenant_id, kind, amount)

    @contextmanager
    def using(self, tenant_id: str, kind: str, amount: int = 1) -> Iterator[None]:
        """Count a use before the block, which does and commits what it is for.

        When the block raises, the use counts no more; unless that leaves open whether the commit
        went through (the connection broke, the task was cancelled): then it counts until
        `quotas.recount`, so that the limit holds.

        Raises:
            QuotaExceeded: when the limit leaves less than *amount*; the block is not begun.
        """
        self.take(tenant_id, kind, amount)
        try:
            yield
        except Exception as error:
            if undone(error):
                self.give_back(tenant_id, kind, amount)
            raise

    @asynccontextmanager
    async def async_using(self, tenant_id: str, kind: str, amount: int = 1) -> AsyncIterator[None]:
        """As `using`, for async code."""
        await self.async_take(tenant_id, kind, amount)
        try:
            yield
        except Exception as error:
            if undone(error):
                await self.async_give_back(tenant_id, kind, amount)
            raise

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
            refused = self._refused.get(key)
            if refused is not None and amount >= refused.amount:
                if time.monotonic() < refused.until_s:
                    raise exceeded(kind, ends_in_s(kind, refused.window))
                del self._refused[key]
            held = self._blocks.get(key)
            if held is None or held.left < amount or over(kind, held.window):
                return False
            held.left -= amount
            held.touched_s = time.monotonic()
            return True

    def _from_database(self, tenant_id: str, kind: str, amount: int) -> None:
        key = (tenant_id, kind)
        with self._asking[hash(key) % ASKING]:
            if not self._from_memory(tenant_id, kind, amount):  # what somebody has brought
                self._asked(key, amount)

    def _asked(self, key: tuple[str, str], amount: int) -> None:
        kind = key[1]
        with self._lock:  # of what this process holds, nobody takes meanwhile
            held = self._blocks.pop(key, None)
        mine, window = (held.left, held.window) if held is not None else (0, None)
        try:
            with self._database.begin() as connection:
                most = self._block * amount
                taken = reserved(connection, key, amount, mine, window, most)
        except IntegrityError as error:
            raise UnknownTenant("nobody by this id lives here") from error
        except SQLAlchemyError as error:
            with self._lock:
                if held is not None:  # also if it was committed: that counts more than was held
                    self._blocks.setdefault(key, held)
            raise unavailable() from error
        with self._lock:
            now_held = self._blocks.setdefault(key, Block(0, taken.window, time.monotonic()))
            if now_held.window != taken.window:
                now_held.left, now_held.window = 0, taken.window
            now_held.left += taken.left
            now_held.touched_s = time.monotonic()
            if taken.refused:
                wait_s = ends_in_s(kind, taken.window) or IDLE_S
                until_s = time.monotonic() + min(wait_s, IDLE_S)
                self._refused[key] = Refusal(amount, until_s, taken.window)
            self._watched()
        if taken.refused:
            raise exceeded(kind, ends_in_s(kind, taken.window))

    def _to_memory(self, tenant_id: str, kind: str, amount: int) -> bool:
        if kind in WINDOWS_S:
            return True  # what was asked was asked
        with self._lock:
            self._refused.pop((tenant_id, kind), None)
            held = self._blocks.get((tenant_id, kind))
            if held is None or held.left + amount > self._block:
                return False
            held.left += amount
            return True

    def _to_database(self, tenant_id: str, kind: str, amount: int) -> None:
        try:
            self._returned(tenant_id, kind, amount, None)
        except SQLAlchemyError as error:
            raise unavailable() from error

    def _watched(self) -> None:
        """Have a thread that gives back what is not used, as long as there is anything."""
        if self._thread is None and not self._closing.is_set():
            self._thread = threading.Thread(
                target=self._returning, name="partywall meter", daemon=True
            )
            self._thread.start()

    def _returning(self) -> None:
        while not self._closing.wait(IDLE_S):
            with suppress(SQLAlchemyError):  # a database that is down comes back
                self._give_back(idle_s=IDLE_S)

    def _give_back(self, *, idle_s: float) -> None:
        moment = time.monotonic()
        with self._lock:
            idle = {
                key: held for key, held in self._blocks.items() if moment - held.touched_s >= idle_s
            }
            for key in idle:
                del self._blocks[key]
            late = [key for key, refused in self._refused.items() if refused.until_s < moment]
            for key in late:
                del self._refused[key]
        for (tenant_id, kind), held in idle.items():
            if held.left:
                self._returned(tenant_id, kind, held.left, held.window)

    def _returned(self, tenant_id: str, kind: str, amount: int, window: dt.datetime | None) -> None:
        same = QUOTAS.c.begun_at.is_(None) if window is None else QUOTAS.c.begun_at == window
        left = QUOTAS.c.used - amount
        with self._database.begin() as connection:
            changing = update(QUOTAS).where(*of(tenant_id, kind), same, QUOTAS.c.used >= amount)
            connection.execute(changing.values(used=left))


def counts(amount: int) -> bool:
    """Whether there is anything to count: of an empty file there is not.

    Raises:
        InvalidRecord: for less than nothing.
    """
    if amount < 0:
        raise InvalidRecord("less than nothing can't be used: what is used no more is given back")
    return amount > 0


def undone(error: Exception) -> bool:
    """Whether nothing was committed, by what was raised; False where that can't be told."""
    if not isinstance(error, DBAPIError):
        return True
    if error.connection_invalidated:
        return False
    state = getattr(error.orig, "sqlstate", None)  # None: the server did not answer, or SQLite's
    return state is not None or type(error.orig).__module__ == "sqlite3"


def unavailable() -> Unavailable:
    """The error of a control plane that is down."""
    return Unavailable("the control plane's database does not answer, and nothing is counted")
