"""The measured application: the same answer, by more and more of what a request goes through.

Started as a process: `python -m benchmarks.control.application URL PORT`.

/without      the answer
/resolved     after asking for the tenant by its slug and for the membership, as each request does
/verified     and after verifying the token that says who asks
/admitted     all of it by `TenantAccess`, which also counts a request against the tenant's quota
"""

import sys
from collections.abc import Callable
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from starlette.types import Receive, Scope, Send

from partywall import SchemaPerTenant, Tenancy, TenantContext
from partywall.adapters.fastapi import Header as NamedByHeader
from partywall.adapters.fastapi import TenantAccess
from partywall.control.access import Access
from partywall.control.plane import ControlPlane
from partywall.control.tokens import SigningKey, Tokens

ISSUER, AUDIENCE = "https://house.example", "bench"
PATHS = ("/without", "/resolved", "/verified", "/admitted")


def application(access: Access, tokens: Tokens) -> FastAPI:
    """Three ways to the same answer; each reads the same headers."""
    app = FastAPI()

    async def named(
        x_tenant: Annotated[str, Header()], x_user: Annotated[str, Header()]
    ) -> TenantContext:
        return TenantContext(x_tenant, x_user)

    async def resolved(
        x_tenant: Annotated[str, Header()], x_user: Annotated[str, Header()]
    ) -> TenantContext:
        tenant = await access.async_tenant_by_slug(x_tenant)
        if tenant is None or tenant.status != "active":
            raise HTTPException(404)
        member = await access.async_member(tenant.id, x_user)
        if member is None:
            raise HTTPException(404)
        return TenantContext(tenant.id, x_user, {member.role}, member.permissions)

    async def verified(
        x_tenant: Annotated[str, Header()], authorization: Annotated[str, Header()]
    ) -> TenantContext:
        claims = tokens.verified(authorization.removeprefix("Bearer "))
        context = await resolved(x_tenant, claims.user_id)
        if context.tenant_id != claims.tenant_id:
            raise HTTPException(404)
        return context

    for path, dependency in zip(PATHS, (named, resolved, verified), strict=False):
        app.get(path)(answering(dependency))

    @app.get("/token")
    async def token(tenant_id: str, user_id: str) -> str:
        return tokens.issue(user_id, tenant_id, 1)

    return app


def guarded(tenancy: Tenancy, plane: ControlPlane) -> FastAPI:
    """The fourth, in an application of its own: `protect` is part of what it costs."""
    app = FastAPI()
    access = TenantAccess(tenancy, plane, resolve=[NamedByHeader("X-Tenant")])
    app.get(PATHS[-1])(answering(access))
    access.protect(app)
    return app


def answering(dependency: Callable[..., Any]) -> Callable[..., Any]:
    """The answer, for a dependency that says who asks."""

    async def answer(
        context: Annotated[TenantContext, Depends(dependency)],
    ) -> dict[str, str]:
        return {"user": context.user_id}

    return answer


def main() -> None:
    """Serve until the process is ended."""
    url, port = sys.argv[1:]
    tokens = Tokens([SigningKey.generate("bench")], issuer=ISSUER, audience=AUDIENCE)
    with ControlPlane(url, tokens=tokens) as plane, Tenancy(url, SchemaPerTenant()) as tenancy:
        plane.access.ready()
        bare, walled = application(plane.access, tokens), guarded(tenancy, plane)

        async def served(scope: Scope, receive: Receive, send: Send) -> None:
            app = walled if scope.get("path") == PATHS[-1] else bare
            await app(scope, receive, send)

        uvicorn.run(served, port=int(port), log_level="error", lifespan="off")


if __name__ == "__main__":
    main()
