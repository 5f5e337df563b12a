"""The engines of one tenancy: sync and async, primary and replica; each made when first used."""

from __future__ import annotations

import os
import threading
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy.util import greenlet_spawn

from partywall.errors import ConfigurationError
from partywall.isolation.database_per_tenant import DatabasePerTenant
from partywall.isolation.file_per_tenant import FilePerTenant
from partywall.runtime.ground import DRIVERS, Ground, PoolStatus, SharedGround, Terms
from partywall.runtime.places import PlacesGround
from partywall.runtime.routing import caught_up

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import URL, Engine

    from partywall.isolation.plan import IsolationModel
    from partywall.runtime.lease import Lease, Wishes

MODELS = {
    "postgresql": "RowSecurity, SchemaPerTenant, DatabasePerTenant or ScopedQueries",
    "sqlite": "FilePerTenant or ScopedQueries",
}
PLACED = (DatabasePerTenant, FilePerTenant)
LEVELS = frozenset({"READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"})

_LIVE: weakref.WeakSet[Grounds] = weakref.WeakSet()


class Grounds:
    """Where a tenancy's connections come from; see `Tenancy` for the arguments."""

    def __init__(
        self, url: URL, terms: Terms, *, replica: URL | None, servers: Mapping[str, URL]
    ) -> None:
        for address in (url, *([replica] if replica is not None else []), *servers.values()):
            suited(address, terms.model)
        self.url, self.replica, self.servers, self.terms = url, replica, servers, terms
        self._made: dict[tuple[bool, bool], Ground] = {}
        self._making = threading.Lock()
        _LIVE.add(self)

    @property
    def sqlite(self) -> bool:
        """Whether the database is SQLite."""
        return self.url.get_backend_name() == "sqlite"

    def framing(self, wishes: Wishes) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The statements that begin a transaction of these wishes, and those that end it.

        SQLite's writers begin IMMEDIATE: two that read first and write then would both hold what
        the other waits for, and one of them would fail at once.
        https://www.sqlite.org/lang_transaction.html

        Raises:
            ConfigurationError: for an isolation level that the database doesn't have.
        """
        read_only, isolation_level = wishes.get("read_only"), wishes.get("isolation_level")
        if isolation_level and (self.sqlite or isolation_level not in LEVELS):
            raise ConfigurationError(
                f"isolation_level={isolation_level!r} can't be had here: PostgreSQL has "
                f"{', '.join(sorted(LEVELS))}; SQLite is always serialisable"
            )
        if self.sqlite:
            reading = ("PRAGMA query_only = ON", "BEGIN"), ("PRAGMA query_only = OFF",)
            return reading if read_only else (("BEGIN IMMEDIATE",), ())
        level = f" ISOLATION LEVEL {isolation_level}" if isolation_level else ""
        return (f"BEGIN{level}{' READ ONLY' if read_only else ''}",), ()

    def ground(self, *, asynchronous: bool, replica: bool = False) -> Ground:
        """The ground for sync or async code, on the primary or the replica."""
        key = (asynchronous, replica)
        found = self._made.get(key)
        if found is None:
            with self._making:
                found = self._made.get(key)
                if found is None:
                    found = self._made[key] = self._make(asynchronous=asynchronous, replica=replica)
        return found

    def engine(self, lease: Lease, wishes: Wishes | None = None) -> Engine:
        """The engine for a lease in sync code."""
        place = lease.model.place(lease.context) if lease.context is not None else None
        if wishes and wishes.get("read_only") and self.replica is not None:
            replica = self.ground(asynchronous=False, replica=True).engine(place)
            not_before = wishes.get("not_before")
            if not not_before or caught_up(replica, not_before):
                return replica
        return self.ground(asynchronous=False).engine(place)

    async def async_engine(self, lease: Lease, wishes: Wishes | None = None) -> Engine:
        """The engine for a lease in async code."""
        place = lease.model.place(lease.context) if lease.context is not None else None
        if wishes and wishes.get("read_only") and self.replica is not None:
            replica = self.ground(asynchronous=True, replica=True).engine(place)
            not_before = wishes.get("not_before")
            if not not_before or await greenlet_spawn(caught_up, replica, not_before):
                return replica
        return self.ground(asynchronous=True).engine(place)

    def dispose(self, *, asynchronous: bool, close: bool = True) -> None:
        """Let go of the idle connections of sync or async code."""
        for (kind, _), ground in list(self._made.items()):
            if kind is asynchronous:
                ground.dispose(close=close)

    def status(self, *, asynchronous: bool) -> PoolStatus:
        """How many connections of the primary are in use and idle."""
        return self.ground(asynchronous=asynchronous).status()

    def forked(self) -> None:
        """Leave the connections that were opened before a fork to the parent."""
        self._making = threading.Lock()
        for asynchronous in (False, True):
            self.dispose(asynchronous=asynchronous, close=False)

    def _make(self, *, asynchronous: bool, replica: bool) -> Ground:
        url = self.replica if replica and self.replica is not None else self.url
        terms = replace(self.terms, asynchronous=asynchronous)
        if isinstance(terms.model, PLACED):
            return PlacesGround(url, terms, self.servers)
        return SharedGround(url, terms)


def suited(url: URL, model: IsolationModel) -> None:
    """Hold a url against the model.

    Raises:
        ConfigurationError: when no driver of ours speaks to it, or it can't have the model.
    """
    if url.drivername not in DRIVERS:
        raise ConfigurationError(
            f"{url.drivername!r} is not supported: begin the url with one of {', '.join(DRIVERS)}"
        )
    database = url.get_backend_name()
    if database not in model.dialects:
        raise ConfigurationError(
            f"{type(model).__name__} can't be had on {database}, which can have {MODELS[database]}"
        )


def after_fork() -> None:
    """In a forked child: two processes must not speak on one connection."""
    for grounds in list(_LIVE):
        grounds.forked()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=after_fork)
