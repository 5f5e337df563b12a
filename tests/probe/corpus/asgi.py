"""FastAPI and Starlette: the caller's tenant by its token, and answers to what is denied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, FastAPI, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.applications import Starlette
from starlette.responses import JSONResponse

from tests.probe.corpus.walls import DeniedError, tenant_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.middleware import Middleware
    from starlette.routing import BaseRoute

__all__ = ["TOKEN", "Caller", "JSONResponse", "Request", "Response", "api", "caller", "routed"]


def by_token(
    shown: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> str:
    """The tenant whose token was shown."""
    return tenant_of(shown.credentials if shown else None)


TOKEN = Depends(by_token)
"""A token must be shown; whose it is isn't asked."""
Caller = Annotated[str, TOKEN]


def caller(request: Request) -> str:
    """The tenant whose token was shown, in Starlette."""
    return tenant_of(request.headers.get("authorization"))


async def denied(_: Request, error: Exception) -> Response:
    """What is denied, in FastAPI's words."""
    assert isinstance(error, DeniedError)
    return JSONResponse({"detail": error.detail}, error.status)


def api(title: str) -> FastAPI:
    """A FastAPI application without operations."""
    app = FastAPI(title=title)
    app.add_exception_handler(DeniedError, denied)
    return app


def routed(routes: Sequence[BaseRoute], middleware: Sequence[Middleware] = ()) -> Starlette:
    """A Starlette application."""
    return Starlette(routes=routes, middleware=middleware, exception_handlers={DeniedError: denied})
