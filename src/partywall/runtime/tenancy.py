"""The one way to a session: `Tenancy`."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from partywall.errors import ConfigurationError
from partywall.isolation.scoped_queries import ScopedQueries
from partywall.runtime.batching import async_batched, batched
from partywall.runtime.ground import Terms
from partywall.runtime.grounds import Grounds
from partywall.runtime.health import examined
from partywall.runtime.lease import KEY, Wishes
from partywall.runtime.leasing import Leasing
from partywall.runtime.lending import PlainBlock, async_lent
from partywall.runtime.routing import position
from partywall.runtime.session import (
    AsyncSessionBlock,
    AsyncTenantSession,
    SessionBlock,
    TenantSession,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping

    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.ext.asyncio import AsyncConnection

    from partywall.context import TenantContext
    from partywall.isolation.plan import IsolationModel
    from partywall.runtime.batching import AsyncBatch, Batch
    from partywall.runtime.directory import Directory
    from partywall.runtime.events import Observer
    from partywall.runtime.health import Health
    from partywall.runtime.lease import Lease
    from partywall.runtime.plain import AsyncTenantConnection
    from partywall.runtime.workflows.engine import Engine as WorkflowEngine
    from partywall.runtime.workflows.front import TenantWorkflows


class Tenancy:
    """The application's way to its tenants' data; one for the life of the process.

    Nothing is opened before the first session. Every session and connection is for one
    `TenantContext`, in a transaction that is committed when the block ends, rolled back when it
    raises, and thrown away with its connection when it is cancelled.

    Args:
        url: the database: `postgresql://…` (psycopg), `postgresql+asyncpg://…` (asyncpg for async
            code, psycopg for the rest) or `sqlite:///…`.
        isolation: how the tenants are kept apart.
        connections: how many may be open at once, over all tenants, for sync and for async code
            each.
        timeout_s: how long to wait for one of them.
        replica: where `read_only=True` sessions go; without it they go to *url*.
        pooler: `transaction` when a proxy such as PgBouncer gives each transaction another server
            session.
        servers: for tenants on several servers: name -> url.
        directory: says whether a tenant exists and may be entered; without it, that is known only
            where each tenant has a schema, a database or a file of its own.
        observer: is told of entering, refusals and waiting.
        workflows: the engine of durable workflows: `DbosWorkflows`, `TemporalWorkflows`.
        expire_on_commit: as SQLAlchemy's; off, since what a block has loaded is read after it.
        connect_args: passed on to the driver.
        guards: called with each new engine, to attach what shall watch over it: `keyring.guard`.

    Raises:
        ConfigurationError: when these can't go together.
    """

    def __init__(  # noqa: PLR0913 - one argument for each thing that can be chosen
        self,
        url: str | URL,
        isolation: IsolationModel,
        *,
        connections: int = 10,
        timeout_s: float = 30.0,
        replica: str | URL | None = None,
        pooler: Literal["", "transaction"] = "",
        servers: Mapping[str, str | URL] | None = None,
        directory: Directory | None = None,
        observer: Observer | None = None,
        workflows: WorkflowEngine | None = None,
        expire_on_commit: bool = False,
        connect_args: Mapping[str, Any] | None = None,
        guards: Iterable[Callable[[Engine], None]] = (),
    ) -> None:
        self.isolation = isolation
        self.observer = observer
        terms = Terms(
            model=isolation,
            connections=connections,
            timeout_s=timeout_s,
            pooled_per_transaction=pooled(pooler),
            observer=observer,
            connect_args=connect_args or {},
            guards=tuple(guards),
        )
        self.grounds = Grounds(
            make_url(url),
            terms,
            replica=make_url(replica) if replica is not None else None,
            servers={name: make_url(address) for name, address in (servers or {}).items()},
        )
        self._leasing = Leasing(isolation, self.grounds, directory, observer)
        self._workflows = self._front(workflows, directory) if workflows is not None else None
        self._expire_on_commit = expire_on_commit
        self._session_class = session_class(isolation)

    def session(self, context: TenantContext, **wishes: Unpack[Wishes]) -> SessionBlock:
        """A SQLAlchemy session of the tenant, in transactions of the tenant.

        Args:
            context: the tenant.
            wishes: see `partywall.runtime.lease.Wishes`.

        Raises:
            MissingTenant: without a context.
            UnknownTenant, InactiveTenant, DeletedTenant: when it may not be entered.
            PoolTimeout: when no connection came free in time.
        """
        lease = self.lease(context, **wishes)
        return self._session(lease, self.grounds.engine(lease, wishes))

    def async_session(self, context: TenantContext, **wishes: Unpack[Wishes]) -> AsyncSessionBlock:
        """As `session`, for async code."""

        async def opened() -> AsyncTenantSession:
            lease = await self.async_lease(context, **wishes)
            return self._async_session(lease, await self.grounds.async_engine(lease, wishes))

        return AsyncSessionBlock(opened)

    @contextmanager
    def connection(self, context: TenantContext, **wishes: Unpack[Wishes]) -> Iterator[Connection]:
        """A SQLAlchemy Core connection in one transaction of the tenant."""
        lease = self.lease(context, **wishes)
        engine = self.grounds.engine(lease, wishes)
        with engine.connect() as plain:
            connection = plain.execution_options(**{KEY: lease})
            connection.begin()
            try:
                yield connection
                connection.commit()  # of the last transaction, where the block ended the first
            except Exception:
                connection.rollback()
                raise
            except BaseException:
                connection.invalidate()
                raise

    @asynccontextmanager
    async def async_connection(
        self, context: TenantContext, **wishes: Unpack[Wishes]
    ) -> AsyncIterator[AsyncConnection]:
        """As `connection`, for async code."""
        lease = await self.async_lease(context, **wishes)
        engine = await self.grounds.async_engine(lease, wishes)
        async with AsyncEngine(engine).connect() as plain:
            connection = await plain.execution_options(**{KEY: lease})
            _ = await connection.begin()
            try:
                yield connection
                await connection.commit()
            except Exception:
                await connection.rollback()
                raise
            except BaseException:
                await connection.invalidate()
                raise

    def plain(self, context: TenantContext, **wishes: Unpack[Wishes]) -> PlainBlock:
        """A connection of psycopg's own in one transaction of the tenant, without SQLAlchemy.

        Raises:
            ConfigurationError: where the driver is another than psycopg.
        """
        lease = self.lease(context, **wishes)
        engine = self.grounds.engine(lease, wishes)
        return PlainBlock(engine, lease)

    @asynccontextmanager
    async def async_plain(
        self, context: TenantContext, **wishes: Unpack[Wishes]
    ) -> AsyncIterator[AsyncTenantConnection]:
        """As `plain`, for async code."""
        lease = await self.async_lease(context, **wishes)
        engine = await self.grounds.async_engine(lease, wishes)
        async with async_lent(engine, lease) as connection:
            yield connection

    @contextmanager
    def batch(self, context: TenantContext) -> Iterator[Batch]:
        """A whole unit of work of the tenant in one round trip, through psycopg's pipeline.

        Raises:
            ConfigurationError: where the driver is another than psycopg.
        """
        lease = self.lease(context)
        with batched(self.grounds.engine(lease), lease) as batch:
            yield batch

    @asynccontextmanager
    async def async_batch(self, context: TenantContext) -> AsyncIterator[AsyncBatch]:
        """As `batch`, for async code."""
        lease = await self.async_lease(context)
        async with async_batched(await self.grounds.async_engine(lease), lease) as batch:
            yield batch

    @contextmanager
    def every_tenant(self, *, reason: str, by: str) -> Iterator[TenantSession]:
        """A session that sees every tenant: the one way out, and every use of it is logged.

        Args:
            reason: why; it goes into the log, so it names no person's data.
            by: who asks.

        Raises:
            ConfigurationError: where the database itself keeps the tenants apart: use a login of
                its own for such work; or when no reason is given.
        """
        lease = self.unscoped(reason, by)
        with self._session(lease, self.grounds.engine(lease)) as session:
            yield session

    def async_every_tenant(self, *, reason: str, by: str) -> AsyncSessionBlock:
        """As `every_tenant`, for async code."""

        async def opened() -> AsyncTenantSession:
            lease = self.unscoped(reason, by)
            return self._async_session(lease, await self.grounds.async_engine(lease))

        return AsyncSessionBlock(opened)

    @property
    def workflows(self) -> TenantWorkflows:
        """Durable workflows, each execution of which belongs to one tenant.

        Raises:
            ConfigurationError: without an engine.
        """
        if self._workflows is None:
            raise ConfigurationError(
                "this Tenancy has no workflow engine: Tenancy(…, workflows=DbosWorkflows(url, "
                "key=…)), or TemporalWorkflows"
            )
        return self._workflows

    def position(self, context: TenantContext) -> str:
        """How far the tenant's database has written: `not_before=` of a session that reads it.

        Ask after the commit; it costs one round trip to the primary.
        """
        return position(self.grounds.engine(self.lease(context)))

    async def async_position(self, context: TenantContext) -> str:
        """As `position`, for async code."""
        engine = await self.grounds.async_engine(await self.async_lease(context))
        return await greenlet_spawn(position, engine)

    def health(self, *, timeout_s: float = 2.0) -> Health:
        """How database, pool of sync code and replica are now; raises for none of them.

        Args:
            timeout_s: how long to wait for each to take a connection.
        """
        return examined(self.grounds, asynchronous=False, timeout_s=timeout_s)

    async def async_health(self, *, timeout_s: float = 2.0) -> Health:
        """As `health`, for async code and its pool."""
        return await greenlet_spawn(
            partial(examined, self.grounds, asynchronous=True, timeout_s=timeout_s)
        )

    def close(self) -> None:
        """Stop workflows, and close the idle connections of sync code; a session opens others."""
        if self._workflows is not None:
            self._workflows.close()
        self.grounds.dispose(asynchronous=False)

    async def async_close(self) -> None:
        """As `close`, for the connections of async code and of sync code."""
        if self._workflows is not None:
            await asyncio.to_thread(self._workflows.close)
        await greenlet_spawn(partial(self.grounds.dispose, asynchronous=True))
        self.close()

    def __enter__(self) -> Self:
        """This tenancy; the block closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    async def __aenter__(self) -> Self:
        """This tenancy; the block closes it."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.async_close()

    def lease(self, context: TenantContext, **wishes: Unpack[Wishes]) -> Lease:
        """What a connection is lent for, once the directory has let the tenant in."""
        return self._leasing.lease(context, wishes)

    async def async_lease(self, context: TenantContext, **wishes: Unpack[Wishes]) -> Lease:
        """As `lease`, for async code."""
        return await self._leasing.async_lease(context, wishes)

    def unscoped(self, reason: str, by: str) -> Lease:
        """A lease of every tenant, written to the log before it is used."""
        return self._leasing.unscoped(reason, by)

    def _front(self, engine: WorkflowEngine, directory: Directory | None) -> TenantWorkflows:
        from partywall.runtime.workflows import TenantWorkflows  # noqa: PLC0415 - an extra

        application = [self.grounds.url, *self.grounds.servers.values()]
        return TenantWorkflows(engine, self.lease, directory, application)

    def _session(self, lease: Lease, engine: Engine) -> SessionBlock:
        session = self._session_class(
            lease=lease, bind=engine, expire_on_commit=self._expire_on_commit
        )
        return SessionBlock(session)

    def _async_session(self, lease: Lease, engine: Engine) -> AsyncTenantSession:
        return AsyncTenantSession(
            AsyncEngine(engine),
            sync_session_class=self._session_class,
            lease=lease,
            expire_on_commit=self._expire_on_commit,
        )


def pooled(pooler: str) -> bool:
    """Whether a proxy is between that gives each transaction another server session.

    Raises:
        ConfigurationError: for a pooler of another kind.
    """
    if pooler not in {"", "transaction"}:
        raise ConfigurationError(
            f'pooler={pooler!r} is not known: say "transaction", or leave it out for a proxy that '
            "keeps a session together"
        )
    return pooler == "transaction"


def session_class(isolation: IsolationModel) -> type[TenantSession]:
    """The class of sessions that *isolation* needs."""
    if isinstance(isolation, ScopedQueries):
        from partywall.runtime.scoping import ScopedSession  # noqa: PLC0415 - imports the parser

        return ScopedSession
    return TenantSession
