"""Sessions that know their tenant, and the objects that came from them."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from partywall.errors import TenantMismatch
from partywall.runtime.entering import refused
from partywall.runtime.lease import KEY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from sqlalchemy.orm import InstanceState

    from partywall.context import TenantContext
    from partywall.runtime.lease import Lease


class TenantSession(Session):
    """A SQLAlchemy session of one tenant; `Tenancy.session` makes it.

    Every object it loads or is given carries the tenant as its identity token, so that a session
    of another tenant knows it for a stranger.
    https://docs.sqlalchemy.org/en/21/orm/queryguide/api.html#identity-token
    """

    def __init__(self, *, lease: Lease, **options: Any) -> None:
        carried = {KEY: lease, "identity_token": lease.tenant or None}
        super().__init__(execution_options=carried, close_resets_only=False, **options)
        self.lease = lease

    @property
    def context(self) -> TenantContext:
        """The tenant of this session.

        Raises:
            TenantMismatch: in a session of every tenant.
        """
        if self.lease.context is None:
            raise TenantMismatch("a session of every tenant has no context: name the tenant")
        return self.lease.context

    def require(self, context: TenantContext) -> None:
        """Say that *context* is meant here.

        Raises:
            TenantMismatch: when this is the session of another tenant.
        """
        if self.lease.tenant != context.tenant_id:
            raise self.mismatch("this session")

    def mismatch(self, what: str) -> TenantMismatch:
        """The refusal of what belongs to another tenant; the observer is told."""
        error = TenantMismatch(
            f"{what} belongs to another tenant than the one it is used for: "
            "load it again in a session of the tenant that is meant"
        )
        refused(self.lease, error)
        return error

    def get(self, entity: Any, ident: Any, *, identity_token: Any = None, **options: Any) -> Any:
        """As SQLAlchemy's `get`; where the tenant leads the primary key it may be left out.

        Raises:
            TenantMismatch: when *ident* or *identity_token* names another tenant.
        """
        tenant = self.lease.tenant
        if tenant:
            if identity_token not in (None, tenant):
                raise self.mismatch("this identity")
            identity_token, ident = tenant, self._own(entity, ident)
        return super().get(entity, ident, identity_token=identity_token, **options)

    def _own(self, entity: Any, ident: Any) -> Any:
        """A primary key with the tenant in front where the mapper has it there."""
        column = getattr(self.lease.model, "column", None)
        keys = inspect(entity).mapper.primary_key
        if keys[0].name != column:
            return ident
        if isinstance(ident, dict):
            return self._own(entity, tuple(ident[key.key] for key in keys if key.key in ident))
        given = ident if isinstance(ident, tuple) else (ident,)
        if len(given) == len(keys) - 1:
            return (keys[0].type.python_type(self.lease.tenant), *given)
        if str(given[0]) != self.lease.tenant:
            raise self.mismatch("this primary key")
        return ident

    def bulk_save_objects(self, objects: Iterable[object], *args: Any, **options: Any) -> None:
        """As SQLAlchemy's.

        Raises:
            TenantMismatch: when one of the objects belongs to another tenant.
        """
        given = list(objects)
        for each in given:
            attached(self, each)
        super().bulk_save_objects(given, *args, **options)


def attached(session: Session, instance: object) -> None:
    """Give a new object the session's tenant, and refuse that of another."""
    assert isinstance(session, TenantSession)  # noqa: S101 - listened to nothing else
    state: InstanceState[Any] = inspect(instance)
    tenant = session.lease.tenant
    if not tenant:
        return
    # A merge without loading brings a key and no token of its own.
    owner = state.identity_token if state.key is None else state.key[2]
    if owner != tenant and not (owner is None and state.key is None):
        raise session.mismatch(f"this {type(instance).__name__}")
    state.identity_token = tenant


event.listen(TenantSession, "before_attach", attached)


class SessionBlock(AbstractContextManager[TenantSession]):
    """The block of `with tenancy.session(context)`: commit, roll back, or throw away."""

    __slots__ = ("_session",)

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def __enter__(self) -> TenantSession:
        """The session."""
        return self._session

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Commit at the end, roll back after an error; close the connection after anything else.

        What is no `Exception` stops a block anywhere (a cancelled task, an interrupt, a generator
        that nobody reads on): nobody knows what the connection is in the middle of.
        """
        try:
            if kind is None:
                self._session.commit()
            elif not issubclass(kind, Exception):
                self._session.invalidate()
        finally:
            self._session.close()


class AsyncTenantSession(AsyncSession):
    """The async form of `TenantSession`; `Tenancy.async_session` makes it."""

    sync_session: TenantSession  # type: ignore[mutable-override]  # set once, by AsyncSession

    @property
    def context(self) -> TenantContext:
        """The tenant of this session."""
        return self.sync_session.context

    def require(self, context: TenantContext) -> None:
        """Say that *context* is meant here.

        Raises:
            TenantMismatch: when this is the session of another tenant.
        """
        self.sync_session.require(context)


class AsyncSessionBlock(AbstractAsyncContextManager[AsyncTenantSession]):
    """The block of `async with tenancy.async_session(context)`; as `SessionBlock`."""

    __slots__ = ("_opened", "_session")

    def __init__(self, opened: Callable[[], Awaitable[AsyncTenantSession]]) -> None:
        self._opened = opened

    async def __aenter__(self) -> AsyncTenantSession:
        """The session."""
        self._session = await self._opened()
        return self._session

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        """Commit, roll back, or throw the connection away."""
        try:
            if kind is None:
                await self._session.commit()
            elif not issubclass(kind, Exception):
                await self._session.invalidate()
        except BaseException as raised:
            if not isinstance(raised, Exception):
                await self._session.invalidate()
            raise
        finally:
            if self._session.in_transaction():
                # In a task of its own, which no cancellation stops.
                await self._session.__aexit__(kind, error, trace)
            else:
                self._session.sync_session.close()  # which has nothing to say to the server
