"""Engines for tenants that have a place of their own: one bounded pool of pools.

All places of a tenancy draw on one `Permits`; each has a pool, which is little more than its name,
and an engine, which shares its dialect, its cache of compiled statements and its listeners with
all others on the same server. So an engine costs kilobytes, is made in microseconds, and may be
forgotten at any time.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from sqlalchemy.pool import NullPool, Pool
from sqlalchemy.util import await_only

from partywall.errors import ConfigurationError, DeletedTenant, PoolTimeout, UnknownTenant
from partywall.isolation.database_per_tenant import DatabasePerTenant
from partywall.runtime.ground import PoolStatus, Terms, connect_arguments, walled_engine
from partywall.runtime.permits import Permit, Permits, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import URL
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

    from partywall.errors import TenantError
    from partywall.isolation.plan import Place

KEPT = 1024
"""How many engines are kept ready. Connections are not among what a forgotten engine loses."""

ABSENT = r'(database|role) "{}" (does not exist|is not permitted to log in)'
"""What the server says when a tenant has no place. libpq hands on no SQLSTATE of a failed log-in,
so that where `lc_messages` is not English a driver's own error is raised instead."""


class PlacesGround:
    """The `Ground` of `DatabasePerTenant` and `FilePerTenant`."""

    def __init__(self, url: URL, terms: Terms, servers: Mapping[str, URL]) -> None:
        self._terms = terms
        self._urls = {"": url, **servers}
        self._making = threading.RLock()
        self._templates: dict[str, Engine] = {}
        self._left_to_the_parent: list[Purse] = []
        self._purse = Purse(terms)
        self._engines = lru_cache(maxsize=KEPT)(self._made)

    def engine(self, place: Place | None) -> Engine:
        """The engine of a place.

        Raises:
            ConfigurationError: when the place is on a server that has no url.
        """
        assert place is not None  # noqa: S101 - a model without places gets another ground
        return self._engines(place)

    def dispose(self, *, close: bool = True) -> None:
        """Let go of every idle connection; a forked child must not close its parent's."""
        if close:
            self._purse.close_idle()
            return
        # Kept, since a connection that the garbage collector finds open says farewell to a server.
        self._left_to_the_parent.append(self._purse)
        self._making = threading.RLock()
        self._purse = Purse(self._terms)
        self._engines.cache_clear()

    def status(self) -> PoolStatus:
        """How many connections are in use and idle, of how many."""
        opened, idle = self._purse.permits.counted()
        return PoolStatus(self._terms.connections, opened - idle, idle)

    def _made(self, place: Place) -> Engine:
        template = self._template(place.server)
        url = template.url._replace(database=place.database or template.url.database)
        if place.role:  # the password in the url is another login's
            url = url._replace(username=place.role, password=None)
        pool = PlacePool(place, url, template, self._purse)
        return PlaceEngine(pool, url, template)

    def _template(self, server: str) -> Engine:
        """An engine without connections; one a server, since a dialect knows its server's version.

        Raises:
            ConfigurationError: when no such server is known.
        """
        if server not in self._urls:
            raise ConfigurationError(
                f"the placement names the server {server!r}, which has no url: "
                f'Tenancy(…, servers={{"{server}": "postgresql://…"}})'
            )
        with self._making:
            found = self._templates.get(server)
            if found is None:
                found = walled_engine(self._urls[server], self._terms, poolclass=NullPool)
                self._templates[server] = found
        return found


class PlaceEngine(Engine):
    """An engine that shares all but its pool and its url."""

    def __init__(self, pool: PlacePool, url: URL, template: Engine) -> None:
        super().__init__(pool, template.dialect, url, query_cache_size=0)
        self._compiled_cache = template._compiled_cache  # noqa: SLF001 - as SQLAlchemy's OptionEngine
        self._has_events = template._has_events  # noqa: SLF001 - goes with the dispatcher
        self.dispatch = template.dispatch
        self.hide_parameters = template.hide_parameters


class Purse:
    """What all pools of one ground draw on."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        model = terms.model
        share = model.connections_per_tenant if isinstance(model, DatabasePerTenant) else None
        self.permits = Permits(terms.connections, share or terms.connections)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking = threading.Lock()

    def hold_loop(self) -> None:
        """Serve one event loop: a connection of another one would hang, or answer to the wrong one.

        Raises:
            ConfigurationError: when connections of another loop are open, or it still runs.
        """
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        with self._looking:
            past = self._loop
            if past is not None and not (past.is_closed() and self.permits.counted()[0] == 0):
                raise ConfigurationError(
                    "this Tenancy's connections belong to another event loop: make a Tenancy for "
                    "each loop, or dispose of this one before its loop ends"
                )
            self._loop = loop

    def close_idle(self, place: str | None = None) -> None:
        """Close the idle connections, of one place or of all."""
        found = self.permits.empty(place)
        try:
            while found:
                of, entry = found.pop()
                try:
                    entry.close()
                finally:
                    self.permits.give_back(of, None)
        finally:  # a close was cancelled: the rest goes on as before
            for of, entry in found:
                self.permits.give_back(of, entry)


class PlacePool(Pool):
    """The pool of one place, sync or async after its dialect; the hooks are SQLAlchemy's.

    https://docs.sqlalchemy.org/en/21/core/pooling.html#constructing-a-pool
    """

    def __init__(self, place: Place, url: URL, template: Engine, purse: Purse) -> None:
        super().__init__(self._opened, dialect=template.dialect)
        # One dispatcher for all: listeners see every place, and the dialect gets to know its
        # server in one first connection, for which all others wait.
        self.dispatch = template.pool.dispatch
        self._walled = template.dialect
        self._place = place
        self._url = url
        self._purse = purse

    def recreate(self) -> PlacePool:
        """This pool: what it draws on is not its own, and it holds nothing that wears out."""
        return self

    def dispose(self) -> None:
        """Close the idle connections of this place."""
        self._purse.close_idle(self._place.name)

    def status(self) -> str:
        """In words, for logs."""
        opened, idle = self._purse.permits.counted()
        return f"{opened} connections open over all places, {idle} of them idle"

    def _do_get(self) -> ConnectionPoolEntry:
        started = time.perf_counter()
        if self._walled.is_async:
            self._purse.hold_loop()
        permit = self._purse.permits.take(self._place.name)
        if permit is None:
            permit = await_only(self._awaited()) if self._walled.is_async else self._waited()
        self._tell(started, timed_out=permit is None)
        if permit is None:
            share = self._purse.permits.limit_per_place
            raise PoolTimeout(
                "every connection that this tenant may use was in use for as long as one may "
                f"wait: of {self._purse.permits.limit} over all tenants, {share} for one. Raise "
                "connections=, connections_per_tenant= or timeout_s=, or look for sessions that "
                "stay open too long"
            )
        return self._spent(permit)

    def _spent(self, permit: Permit) -> ConnectionPoolEntry:
        """The connection that a permit is for."""
        if permit.entry is not None:
            return permit.entry
        try:
            if permit.evicted is not None:
                permit.evicted.close()
            return self._create_connection()
        except BaseException:
            self._purse.permits.give_back(self._place.name, None)
            raise

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        self._purse.permits.give_back(self._place.name, record)

    def _waited(self) -> Permit | None:
        arrived = threading.Event()
        turn = Turn(self._place.name, arrived.set)
        try:
            self._purse.permits.queue(turn)
            arrived.wait(self._purse.terms.timeout_s)
        except BaseException:
            self._left(turn)
            raise
        return self._purse.permits.leave(turn)

    async def _awaited(self) -> Permit | None:
        loop = asyncio.get_running_loop()
        arrived = asyncio.Event()
        turn = Turn(self._place.name, partial(loop.call_soon_threadsafe, arrived.set))
        timer = loop.call_later(self._purse.terms.timeout_s, arrived.set)
        try:
            self._purse.permits.queue(turn)
            await arrived.wait()
        except BaseException:
            self._left(turn)
            raise
        finally:
            timer.cancel()
        return self._purse.permits.leave(turn)

    def _left(self, turn: Turn) -> None:
        """Give up waiting, and what was granted in the same moment."""
        permit = self._purse.permits.leave(turn)
        if permit is not None:
            self._purse.permits.undo(self._place.name, permit)

    def _tell(self, started: float, *, timed_out: bool) -> None:
        observer = self._purse.terms.observer
        if observer is not None:
            observer.waited(time.perf_counter() - started, timed_out=timed_out)

    def _opened(self, rec: ConnectionPoolEntry) -> DBAPIConnection:
        """A new connection; what `create_engine` does for one url.

        Raises:
            UnknownTenant, DeletedTenant: when the server has no such place.
        """
        dialect, terms, role = self._walled, self._purse.terms, self._place.role
        given, named = dialect.create_connect_args(self._url)
        args, options = list(given), {**named, **connect_arguments(self._url, terms)}
        if role and isinstance(terms.model, DatabasePerTenant) and terms.model.passwords:
            options["password"] = terms.model.passwords(role)
        for listener in dialect.dispatch.do_connect:
            found: DBAPIConnection | None = listener(dialect, rec, args, options)
            if found is not None:
                return found
        try:
            return dialect.connect(*args, **options)
        except Exception as error:
            unknown = absent(error, self._place)
            if unknown is None:
                raise
            raise unknown from error


def absent(error: Exception, place: Place) -> TenantError | None:
    """What a refused log-in says about the tenant, None when it says nothing."""
    for name in {place.database, place.role} - {""}:
        found = re.search(ABSENT.format(re.escape(name)), str(error))
        if found:
            break
    else:
        return None
    if found[2] == "does not exist":
        return UnknownTenant(f"the tenant has no {found[1]} on this server: provision it first")
    return DeletedTenant("the tenant was deleted, and its name is never given out again")
