"""Sessions that live as long as the request, sync and async.

What the handler did is committed before the response begins, so that nobody is told of what was
not. The session then lives on until the response has ended, for a stream that still reads; what a
stream writes is committed at its end, when it has come to its end.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import Depends
from starlette.requests import HTTPConnection  # noqa: TC002 - FastAPI reads annotations

from partywall.context import TenantContext
from partywall.errors import ConfigurationError
from partywall.runtime.session import AsyncTenantSession, TenantSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from partywall.runtime.tenancy import Tenancy

KEY = "partywall.exchange"
"""The place of an `Exchange` in the scope of a request."""


class Stopped(BaseException):
    """A stream that was not read to its end; never leaves this module."""


@dataclass(slots=True)
class Exchange:
    """One request and its response, as the server sees them.

    Attributes:
        complete: whether the whole response was sent.
    """

    complete: bool = False


def exchange(connection: HTTPConnection) -> Exchange:
    """The exchange of a request.

    Raises:
        ConfigurationError: in an application that `TenantAccess.protect` was not called for.
    """
    found = connection.scope.get(KEY)
    if not isinstance(found, Exchange):
        raise ConfigurationError(
            "this application's routes were not checked: call access.protect(app) where it is made"
        )
    return found


def ended(connection: HTTPConnection, session: TenantSession | AsyncTenantSession) -> None:
    """Let a session end with its response.

    Raises:
        Stopped: when the client went before all was sent. Nobody knows then what a stream is in
            the middle of, so that its block throws the connection away.
    """
    if session.in_transaction() and not exchange(connection).complete:
        raise Stopped


def sync_session(
    tenancy: Tenancy, access: Callable[..., Awaitable[TenantContext]]
) -> Callable[..., Awaitable[TenantSession]]:
    """A dependency that gives a `TenantSession` of the request's tenant, for plain handlers.

    Args:
        tenancy: opens the session.
        access: the dependency that gives the context.
    """
    context_given = Depends(access)

    def opened(
        connection: HTTPConnection, context: TenantContext = context_given
    ) -> Iterator[TenantSession]:
        with suppress(Stopped), tenancy.session(context) as session:
            yield session
            ended(connection, session)

    opened_given = Depends(opened, scope="request")

    def settled(session: TenantSession = opened_given) -> Iterator[None]:
        yield
        session.commit()

    settled_given = Depends(settled, scope="function")

    async def session(
        session: TenantSession = opened_given, settled: None = settled_given
    ) -> TenantSession:
        """The request's session."""
        del settled
        return session

    return session


def async_session(
    tenancy: Tenancy, access: Callable[..., Awaitable[TenantContext]]
) -> Callable[..., Awaitable[AsyncTenantSession]]:
    """As `sync_session`, an `AsyncTenantSession` for async handlers."""
    context_given = Depends(access)

    async def opened(
        connection: HTTPConnection, context: TenantContext = context_given
    ) -> AsyncIterator[AsyncTenantSession]:
        with suppress(Stopped):
            async with tenancy.async_session(context) as session:
                yield session
                ended(connection, session)

    opened_given = Depends(opened, scope="request")

    async def settled(session: AsyncTenantSession = opened_given) -> AsyncIterator[None]:
        yield
        await session.commit()

    settled_given = Depends(settled, scope="function")

    async def session(
        session: AsyncTenantSession = opened_given, settled: None = settled_given
    ) -> AsyncTenantSession:
        """The request's session."""
        del settled
        return session

    return session
