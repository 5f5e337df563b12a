"""The ground a tenancy stands on: engines with walls, and where a tenant finds its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import create_engine, event
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import QueuePool

from partywall.errors import ConfigurationError
from partywall.runtime import dialects, forks, pooling
from partywall.runtime.entering import footprint
from partywall.runtime.guards import guards_of
from partywall.runtime.lease import KEY
from partywall.runtime.pools import AsyncObservedPool, ObservedPool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import URL, Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
    from sqlalchemy.pool import ConnectionPoolEntry

    from partywall.isolation.plan import IsolationModel, Place
    from partywall.runtime.events import Observer

DRIVERS = {
    # drivername of the url -> our dialects, sync and async
    "postgresql": ("postgresql+partywall_psycopg", "postgresql+partywall_psycopg_async"),
    "postgresql+psycopg": ("postgresql+partywall_psycopg", "postgresql+partywall_psycopg_async"),
    "postgresql+asyncpg": ("postgresql+partywall_psycopg", "postgresql+partywall_asyncpg"),
    "sqlite": ("sqlite+partywall_pysqlite", "sqlite+partywall_aiosqlite"),
    "sqlite+pysqlite": ("sqlite+partywall_pysqlite", "sqlite+partywall_aiosqlite"),
    "sqlite+aiosqlite": ("sqlite+partywall_pysqlite", "sqlite+partywall_aiosqlite"),
}


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """The state of a pool, in connections."""

    limit: int
    in_use: int
    idle: int


@dataclass(frozen=True, kw_only=True)
class Terms:
    """On which terms connections are opened, the same for every engine of a tenancy.

    Attributes:
        model: the isolation model.
        connections: how many may be open at once.
        timeout_s: how long to wait for one.
        asynchronous: whether for async code.
        pooled_per_transaction: whether a proxy such as PgBouncer in transaction mode is between.
        observer: is told of waiting.
        connect_args: passed on to the driver.
        guards: further ones besides the model's, called with each new engine.
    """

    model: IsolationModel
    connections: int
    timeout_s: float
    asynchronous: bool = False
    pooled_per_transaction: bool = False
    observer: Observer | None = None
    connect_args: Mapping[str, Any] = field(default_factory=dict)
    guards: tuple[Callable[[Engine], None], ...] = ()

    def __post_init__(self) -> None:
        """Refuse what can't work.

        Raises:
            ConfigurationError: for a pool without connections.
        """
        if self.connections < 1:
            raise ConfigurationError("a pool needs at least one connection: connections=10")


NO_SUCH_STATEMENT = "26000"
"""The driver's prepared statements are gone: somebody's SQL removed them. The connection goes too,
or every later tenant would meet the error."""


class Ground(Protocol):
    """Where engines come from; a tenancy has one for sync and one for async code."""

    def engine(self, place: Place | None) -> Engine:
        """The engine of a place, or of the one database that all share (None)."""

    def dispose(self, *, close: bool = True) -> None:
        """Let go of every idle connection; a forked child must not close its parent's."""

    def status(self) -> PoolStatus:
        """How many connections are in use and idle, of how many."""


class SharedGround:
    """One database, which all tenants share, and one pool."""

    def __init__(self, url: URL, terms: Terms) -> None:
        self._terms = terms
        pool = AsyncObservedPool if terms.asynchronous else ObservedPool
        self._engine = walled_engine(
            url,
            terms,
            poolclass=pool,
            pool_size=terms.connections,
            max_overflow=0,
            pool_timeout=terms.timeout_s,
            pool_use_lifo=True,
        )
        self._engine.pool.observer = terms.observer  # type: ignore[attr-defined] # of our pools

    def engine(self, place: Place | None) -> Engine:
        """The one engine."""
        assert place is None  # noqa: S101 - a model with places gets another ground
        return self._engine

    def dispose(self, *, close: bool = True) -> None:
        """Let go of every idle connection."""
        self._engine.dispose(close=close)

    def status(self) -> PoolStatus:
        """How many connections are in use and idle."""
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)  # noqa: S101 - made so above
        return PoolStatus(self._terms.connections, pool.checkedout(), pool.checkedin())


def walled_url(url: URL, *, asynchronous: bool) -> URL:
    """*url* with the dialect that has walls.

    Raises:
        ConfigurationError: for a driver that no dialect of ours speaks to.
    """
    if url.drivername not in DRIVERS:
        raise ConfigurationError(
            f"{url.drivername!r} is not supported: begin the url with one of {', '.join(DRIVERS)}"
        )
    return url.set(drivername=DRIVERS[url.drivername][asynchronous])


def walled_engine(url: URL, terms: Terms, **options: Any) -> Engine:
    """An engine whose connections begin with a tenant or not at all.

    Args:
        url: the address, with the application's own driver name.
        terms: of all engines of the tenancy.
        options: further arguments of `create_engine`.
    """
    address = walled_url(url, asynchronous=terms.asynchronous)
    arguments: dict[str, Any] = {
        "isolation_level": "AUTOCOMMIT",  # of the driver: BEGIN is the dialect's to send
        "connect_args": connect_arguments(address, terms),
        **options,
    }
    engine = (
        create_async_engine(address, **arguments).sync_engine
        if terms.asynchronous
        else create_engine(address, **arguments)
    )
    dialect = engine.dialect
    if not isinstance(dialect, dialects.Walled):
        raise ConfigurationError(f"SQLAlchemy chose {type(dialect).__name__}, which has no walls")
    dialect.pooled_per_transaction = terms.pooled_per_transaction
    dialect.keeps_statements &= not terms.pooled_per_transaction
    arm(engine, terms)
    return engine


def connect_arguments(address: URL, terms: Terms) -> dict[str, Any]:
    """What the driver is told at log-in."""
    given = dict(terms.connect_args)
    settings = {} if terms.pooled_per_transaction else terms.model.settings()
    if address.drivername.endswith("asyncpg"):
        given.setdefault("statement_cache_size", 0)
        if terms.pooled_per_transaction:
            given["prepared_statement_cache_size"] = 0
        given["prepared_statement_name_func"] = dialects.unguessable_name
        if settings:
            given["server_settings"] = {**given.get("server_settings", {}), **settings}
    elif address.get_backend_name() == "postgresql":
        options = " ".join(f"-c {name}={escaped(value)}" for name, value in settings.items())
        if options:
            given["options"] = f"{given.get('options', '')} {options}".strip()
        if terms.pooled_per_transaction:
            given["prepare_threshold"] = None
    return given


def escaped(value: str) -> str:
    """A value for the `options` of a connection, where spaces and backslashes are escaped.

    https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-OPTIONS
    """
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


def arm(engine: Engine, terms: Terms) -> None:
    """Attach what every engine of a tenancy has: the check-in of leases, and the guards."""
    served = terms.model.tenants_per_connection
    dialect = engine.dialect
    assert isinstance(dialect, dialects.Walled)  # noqa: S101 - `walled_engine` made sure

    def check_in(connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info.pop(KEY, None)
        if connection is not None:
            dialect.lend(connection, None)
        seen = footprint(record.info)
        worn = served is not None and len(seen.served) >= served
        if connection is not None and (seen.poisoned or seen.dirty or worn):
            record.invalidate()
        # Who takes the connection from the pool without beginning leaves things on it, too.
        seen.dirty = True

    def out_of_step(error: ExceptionContext) -> None:
        if getattr(error.original_exception, "sqlstate", None) == NO_SUCH_STATEMENT:
            error.is_disconnect, error.invalidate_pool_on_disconnect = True, False

    event.listen(engine, "connect", lambda connection, _: forks.opened(connection))
    event.listen(engine, "checkin", check_in)
    event.listen(engine, "handle_error", out_of_step)
    if dialect.name == "postgresql":
        pooling.watch(engine, terms)
    for guard in (*guards_of(terms.model), *terms.guards):
        guard(engine)
