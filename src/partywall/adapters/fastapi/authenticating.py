"""Who asks: a token of the control plane, an API key, or what the application itself knows."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection  # noqa: TC002 - FastAPI reads annotations

from partywall.errors import NotAuthenticated

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Awaitable, Callable

    from partywall.control.plane import ControlPlane

OFFERED = "bearer."

KEY_PREFIX = "pw_"
"""How an API key begins; a token never does."""

ADMINISTRATOR = 0
"""The membership version of a token of an administrator, who is a member of no tenant by it."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, as far as the credential says it.

    Attributes:
        user_id: the user, as memberships name them.
        tenant_id: the only tenant that the credential is for; "" for each that the user is a
            member of.
        membership_version: the membership that it was given for; None where it is for whichever
            holds now.
        user_version: the user's, when a token was issued; None for another credential.
        logged_in_at: when the user showed a password for it; None where that is not known.
        permissions: what it is restricted to; None for all that the user has.
        key_id: the API key, "" for another credential.
        identity_only: whether it says who the user is and nothing more: it enters no tenant.
    """

    user_id: str
    tenant_id: str = ""
    membership_version: int | None = None
    user_version: int | None = None
    logged_in_at: dt.datetime | None = None
    permissions: frozenset[str] | None = None
    key_id: str = ""
    identity_only: bool = False


class Bearer(SecurityBase):
    """Tells OpenAPI that a bearer token or an API key is wanted."""

    def __init__(self) -> None:
        self.model = HTTPBearer(description="A token, or an API key that begins with pw_")
        self.scheme_name = "bearer"

    async def __call__(self, connection: HTTPConnection) -> None:
        """Nothing: the credential is read where it is verified."""


BEARER = Bearer()


def credential(connection: HTTPConnection) -> str:
    """What stands in `Authorization: Bearer …`, or in a WebSocket's subprotocols after `bearer.`.

    A page can send no header with the handshake of a WebSocket.

    Raises:
        NotAuthenticated: when there is none, another scheme, or more than one.
    """
    values = connection.headers.getlist("authorization")
    offered = connection.scope.get("subprotocols", ())
    values += ["Bearer " + p.removeprefix(OFFERED) for p in offered if p.startswith(OFFERED)]
    scheme, _, value = (values[0] if len(values) == 1 else "").partition(" ")
    if scheme.lower() != "bearer" or not value.strip():
        raise NotAuthenticated("the request has no bearer token, or more than one")
    return value.strip()


async def verified(plane: ControlPlane, connection: HTTPConnection) -> Principal:
    """Who asks, by a token or an API key of the control plane.

    Raises:
        NotAuthenticated: when the credential is missing or does not hold, or the user was
            disabled, or has another password, since.
        Unavailable: when the control plane's database does not answer.
    """
    given = credential(connection)
    if given.startswith(KEY_PREFIX):
        key = await plane.access.async_key(given)
        if key is None:
            raise NotAuthenticated("there is no such API key, or it does not hold any more")
        return Principal(key.user_id, key.tenant_id, permissions=key.permissions, key_id=key.id)
    if plane.tokens is None:
        raise NotAuthenticated("this control plane issues no tokens")
    claims = plane.tokens.verified(given)
    if await plane.access.async_user_version(claims.user_id) != claims.user_version:
        raise NotAuthenticated("there is no such user any more, or the password has changed")
    return Principal(
        claims.user_id,
        claims.tenant_id,
        membership_version=claims.membership_version if claims.tenant_id else None,
        user_version=claims.user_version,
        logged_in_at=claims.logged_in_at,
        identity_only=not claims.tenant_id,
    )


async def asked(
    authenticate: Callable[[HTTPConnection], Awaitable[Principal | None] | Principal | None],
    connection: HTTPConnection,
) -> Principal:
    """Who asks, by the application's own word; a plain function runs in a thread.

    Raises:
        NotAuthenticated: when it knows nobody.
    """
    if inspect.iscoroutinefunction(authenticate) or inspect.iscoroutinefunction(
        getattr(authenticate, "__call__", None)  # noqa: B004 - of an object, whether it is async
    ):
        found = authenticate(connection)
    else:
        found = await run_in_threadpool(authenticate, connection)
    principal = await found if inspect.isawaitable(found) else found
    if principal is None:
        raise NotAuthenticated("the application knows nobody by this request")
    return principal
