"""The one dependency: who acts for which tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection  # noqa: TC002 - FastAPI reads annotations

from partywall.adapters.fastapi import problems
from partywall.adapters.fastapi.authenticating import (
    ADMINISTRATOR,
    BEARER,
    Principal,
    asked,
    verified,
)
from partywall.adapters.fastapi.denials import Attempt, Denials
from partywall.adapters.fastapi.resolving import (
    CustomDomain,
    Named,
    OnlyMembership,
    Subdomain,
    agreed,
    arranged,
    decoy,
    looked_up,
    nobody,
    said,
)
from partywall.adapters.fastapi.routes import Gate
from partywall.adapters.fastapi.sessions import async_session, exchange, sync_session
from partywall.context import TenantContext
from partywall.control import administration, domains
from partywall.control.lookups import Member, shared
from partywall.control.roles import ADMINISTRATOR as ROLE
from partywall.control.roles import EVERYTHING, includes
from partywall.errors import (
    ConfigurationError,
    InvalidRecord,
    NotAuthenticated,
    NotPermitted,
    Unavailable,
    UnknownTenant,
)
from partywall.runtime.directory import refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from starlette.applications import Starlette

    from partywall.adapters.fastapi.resolving import Source
    from partywall.control.plane import ControlPlane
    from partywall.control.tenants import Tenant
    from partywall.runtime.tenancy import Tenancy

REQUESTS = "requests_per_minute"
"""The kind of quota that each request takes one of."""

LATER_S = 5.0
"""When to try again what is being provisioned."""


class TenantAccess:
    """Admits a request to a tenant: `Annotated[TenantContext, Depends(access)]`.

    It authenticates, resolves the tenant, checks membership, status and role, and takes one of the
    tenant's requests a minute. What it gives is all there is: nothing is kept in a variable of the
    context, and no middleware is needed.

    Args:
        tenancy: the application's way to its tenants' data; give it `directory=plane.access`.
        plane: the control plane.
        authenticate: who asks, by the application's own word; without it, by tokens and API keys
            of the control plane.
        resolve: where a request may name its tenant.

    Attributes:
        session: a dependency that gives a `TenantSession` of the request's tenant.
        async_session: as `session`, an `AsyncTenantSession`.
    """

    def __init__(
        self,
        tenancy: Tenancy,
        plane: ControlPlane,
        *,
        authenticate: Callable[[HTTPConnection], Awaitable[Principal | None] | Principal | None]
        | None = None,
        resolve: Sequence[Source],
    ) -> None:
        if not resolve:
            raise ConfigurationError(
                'say where a request names its tenant: resolve=[Header("X-Tenant"), …]'
            )
        self.tenancy = tenancy
        self.plane = plane
        self.denials = Denials(plane.database)
        self.session = sync_session(tenancy, self)
        self.async_session = async_session(tenancy, self)
        self._authenticate = authenticate
        self._sources = arranged(resolve)
        self._only = any(isinstance(each, OnlyMembership) for each in self._sources)

    async def __call__(
        self, connection: HTTPConnection, bearer: Annotated[None, Depends(BEARER)] = None
    ) -> TenantContext:
        """Who acts for which tenant.

        Raises:
            NotAuthenticated: 401, nobody, or a membership that has changed since.
            HTTPException: 400, when it can't be told which tenant is meant.
            UnknownTenant: 404, when there is no such tenant, or the caller is a stranger to it.
            InactiveTenant: 403, when it is suspended.
            Unavailable: 503, when it is being provisioned, or the control plane is down.
            QuotaExceeded: 429.
        """
        del bearer
        context = await self.again(connection)
        await self.plane.meter.async_take(context.tenant_id, REQUESTS)
        return context

    async def again(self, connection: HTTPConnection) -> TenantContext:
        """As a call, without taking one of the tenant's requests: for what was let in and lasts.

        Raises:
            PartywallError, HTTPException: as a call, but for QuotaExceeded.
        """
        exchange(connection)
        principal = await self.principal(connection)
        if principal.identity_only:
            raise NotPermitted("this token says who you are and is for no tenant: switch to one")
        named, tenant = await agreed(self.plane.access, said(self._sources, connection))
        if named is None:
            tenant = await self._default(principal)
        member = await self._member(principal, named, tenant, connection)
        if tenant is None or member is None:
            if tenant is not None and named is not None:
                await looked_up(self.plane.access, decoy(named))  # as long as for an unknown one
            self.denied(principal, named, tenant, connection)
            raise UnknownTenant("nobody lives here whom the caller may know of")
        if principal.membership_version not in {None, member.version}:
            raise NotAuthenticated("the membership has changed since the token was issued")
        enter(tenant)
        permissions = member.permissions
        if principal.permissions is not None:
            permissions = shared(principal.permissions, permissions)
        return TenantContext(tenant.id, principal.user_id, {member.role}, permissions)

    async def principal(self, connection: HTTPConnection) -> Principal:
        """Who asks, whatever the tenant.

        Raises:
            NotAuthenticated: when nobody does.
        """
        if self._authenticate is not None:
            return await asked(self._authenticate, connection)
        return await verified(self.plane, connection)

    async def user(
        self, connection: HTTPConnection, bearer: Annotated[None, Depends(BEARER)] = None
    ) -> Principal:
        """A dependency for routes without a tenant: the user, in person.

        Such a route is marked `public`, since it opens no tenant.

        Raises:
            NotAuthenticated: 401, when nobody asks.
            NotPermitted: 403, for an API key: it acts in its tenant alone.
        """
        del bearer
        exchange(connection)
        principal = await self.principal(connection)
        if principal.permissions is not None:
            raise NotPermitted("an API key acts in its tenant alone: log in")
        return principal

    def requires(self, *permissions: str) -> Callable[..., Awaitable[TenantContext]]:
        """A dependency that also wants permissions, each of them: `requires("invoices:write")`.

        Raises:
            ConfigurationError: without one.
        """
        if not permissions or not all(permissions):
            raise ConfigurationError('name a permission: requires("invoices:write")')
        wanted = frozenset(permissions)
        given = Depends(self)

        async def required(context: TenantContext = given) -> TenantContext:
            allow(context, wanted)
            return context

        return required

    def protect(self, app: Starlette, *, files: Collection[str] = ()) -> None:
        """Let *app* serve only what has this dependency or the mark `public`, and answer problems.

        Its routes are looked at when it starts, and again before the next request after any was
        added, in included routers and mounted applications too. FastAPI's own documentation is
        open to all; `FastAPI(openapi_url=None)` takes it away. A handler that has the dependency
        and is refused has an annotation that FastAPI can't read: a name that is local to a
        function, in a module with `from __future__ import annotations`.

        Args:
            app: the application, which has not served yet.
            files: paths, as the refusal names them, of frontends and of mounted applications that
                can't be marked.

        Raises:
            ConfigurationError: when *app* serves already.
        """
        if app.middleware_stack is not None:
            raise ConfigurationError("the application serves already: protect it where it is made")
        problems.install(app)
        Gate(
            app,
            access=TenantAccess,
            files=files,
            prepare=problems.install,
            ended=self.close,
        )

    @property
    def own_domains(self) -> tuple[str, ...]:
        """The domains that the application itself answers at: no tenant may claim them."""
        named = [each.base for each in self._sources if isinstance(each, Subdomain)]
        for each in self._sources:
            named += each.own if isinstance(each, CustomDomain) else ()
        return tuple(name for name in named if claimable(name))

    def close(self) -> None:
        """Write the denied attempts that wait to be written; the server's shutdown does it."""
        self.denials.flush()

    async def _default(self, principal: Principal) -> Tenant | None:
        """The tenant of a request that names none."""
        tenant_id = ""
        if self._only:
            tenant_id = principal.tenant_id
            if not tenant_id:
                ids = await self.plane.access.async_tenants_of(principal.user_id)
                tenant_id = ids[0] if len(ids) == 1 else ""
        if not tenant_id:
            raise HTTPException(400, "the request names no tenant")
        return await self.plane.access.async_tenant(tenant_id)

    async def _member(
        self,
        principal: Principal,
        named: Named | None,
        tenant: Tenant | None,
        connection: HTTPConnection,
    ) -> Member | None:
        """The caller in the tenant; None for a stranger, and for a credential of another tenant."""
        tenant_id = tenant.id if tenant is not None else nobody(named)
        if principal.membership_version == ADMINISTRATOR and principal.tenant_id == tenant_id:
            return await run_in_threadpool(
                administrator, self.plane, principal.user_id, tenant_id, address(connection)
            )
        member = await self.plane.access.async_member(tenant_id, principal.user_id)
        return member if principal.tenant_id in {"", tenant_id} else None

    def denied(
        self,
        principal: Principal,
        named: Named | None,
        tenant: Tenant | None,
        connection: HTTPConnection,
    ) -> None:
        """Tell the audit logs of an attempt to get in where the caller is a stranger.

        Args:
            principal: who tried.
            named: the tenant as it was asked for.
            tenant: the tenant, if there is one.
            connection: the request.
        """
        source = address(connection)
        asked_for = {"asked": named.value, "by": named.source} if named is not None else {}
        if principal.tenant_id:
            actor = principal.key_id or principal.user_id
            self.denials.note(Attempt(principal.tenant_id, actor), source, **asked_for)
        if tenant is not None and tenant.id != principal.tenant_id:
            by = {"by": named.source} if named is not None else {}
            self.denials.note(Attempt(tenant.id, principal.user_id), source, **by)


def enter(tenant: Tenant) -> None:
    """Take a tenant that may be entered by its members.

    Raises:
        InactiveTenant: when it is suspended.
        Unavailable: when it is being provisioned, or that has failed.
        UnknownTenant: when it was deleted.
    """
    if tenant.status in {"provisioning", "failed"}:
        raise Unavailable(f"the tenant is {tenant.status}", retry_after_s=LATER_S)
    error = refusal(tenant.status)
    if error is not None:
        raise error


def allow(context: TenantContext, wanted: frozenset[str]) -> None:
    """Take a context that has each permission.

    Raises:
        NotPermitted: for another one; the message names what is wanted.
    """
    if not includes(context.permissions, wanted):
        raise NotPermitted(f"this needs the permission {', '.join(sorted(wanted))}")


def administrator(plane: ControlPlane, user_id: str, tenant_id: str, source: str) -> Member | None:
    """An administrator in a tenant, for one request, which its audit log tells of.

    None when the grant has ended, or the request comes from elsewhere: a stranger.
    """
    try:
        with plane.database.begin() as connection:
            administration.permitted(connection, user_id, tenant_id, source)
    except NotPermitted:
        return None
    return Member(tenant_id, user_id, ROLE, ADMINISTRATOR, frozenset({EVERYTHING}))


def claimable(name: str) -> bool:
    """Whether a tenant could claim a host; an address or `localhost` nobody can."""
    try:
        domains.canonical(name)
    except InvalidRecord:
        return False
    return True


def address(connection: HTTPConnection) -> str:
    """Where a request comes from, as the server knows it; "" when it does not.

    Limits and the networks of administrators go by it. Behind a proxy the server takes it from
    `X-Forwarded-For`: name that proxy (`uvicorn --forwarded-allow-ips`), never `*`, or anybody
    chooses it.
    """
    return connection.client.host if connection.client is not None else ""
