"""The measured application: the same answer, by more and more of what a request goes through.

Started as a process: `python -m benchmarks.control.application URL PORT`.

/without      the answer
/resolved     after asking for the tenant by its slug and for the membership, as each request does
/verified     and after verifying the token that says who asks
"""

import sys
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException

from partywall import TenantContext
from partywall.control.access import Access
from partywall.control.database import Database
from partywall.control.tokens import SigningKey, Tokens

ISSUER, AUDIENCE = "https://house.example", "bench"
PATHS = ("/without", "/resolved", "/verified")


def application(access: Access, tokens: Tokens) -> FastAPI:
    """Three ways to the same answer; each reads the same two headers."""
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

    for path, dependency in zip(PATHS, (named, resolved, verified), strict=True):

        @app.get(path)
        async def answer(
            context: Annotated[TenantContext, Depends(dependency)],
        ) -> dict[str, str]:
            return {"user": context.user_id}

    @app.get("/token")
    async def token(tenant_id: str, user_id: str) -> str:
        return tokens.issue(user_id, tenant_id, 1)

    return app


def main() -> None:
    """Serve until the process is ended."""
    url, port = sys.argv[1:]
    with Access(Database(url)) as access:
        access.ready()
        tokens = Tokens([SigningKey.generate("bench")], issuer=ISSUER, audience=AUDIENCE)
        uvicorn.run(application(access, tokens), port=int(port), log_level="error")


if __name__ == "__main__":
    main()
