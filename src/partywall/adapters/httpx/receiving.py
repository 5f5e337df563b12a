"""The context of an internal call, in the service that is called: a dependency of FastAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.adapters.fastapi.resolving import single
from partywall.adapters.httpx.tokens import HEADER, ContextTokens, origin
from partywall.context import TenantContext
from partywall.errors import NotAuthenticated
from partywall.runtime.directory import refusal

# isort: split
# Last, so that the adapter above names the extra where FastAPI is missing.
from fastapi import Request  # noqa: TC002 - it reads annotations

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from partywall.runtime.directory import Directory


def received(
    tokens: ContextTokens, *, at: str, directory: Directory | None = None
) -> Callable[[Request], Awaitable[TenantContext]]:
    """A dependency that gives the context that the calling service has signed.

    `Annotated[TenantContext, Depends(received(tokens, at="https://billing.internal:8443"))]`.
    Routes that have it instead of `TenantAccess` are marked `public` where an application is
    protected: it is another way in.

    Args:
        tokens: what verifies; with the callers' keys.
        at: the origin at which callers know this service, and not what a request says of itself.
        directory: says whether the tenant may be entered; without it the caller's word counts.

    Raises:
        ConfigurationError: for what is no origin.

    The dependency raises:
        NotAuthenticated: 401, without the header, with more than one, or when it doesn't hold for
            this very request.
        UnknownTenant, InactiveTenant, DeletedTenant: when the directory says so.
    """
    own = origin(at)

    async def context(request: Request) -> TenantContext:
        token = single(request, HEADER)
        if token is None:
            raise NotAuthenticated(f"the request has no {HEADER}")
        found = tokens.context(token, to=own, method=request.method, target=target(request))
        if directory is not None:
            error = refusal(await directory.async_standing(found.tenant_id))
            if error is not None:
                raise error
        return found

    return context


def target(request: Request) -> str:
    """Path and query as they were sent, before anything was decoded."""
    scope = request.scope
    path = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"")
    whole: bytes = path.partition(b"?")[0] + (b"?" + query if query else b"")
    return whole.decode("latin-1")
