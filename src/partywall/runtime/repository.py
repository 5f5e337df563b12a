"""Repositories: the layer between endpoints and sessions, where every question names its tenant."""

from __future__ import annotations

import inspect
from functools import wraps
from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, CursorResult, Result, ScalarResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncResult, AsyncScalarResult, AsyncSession
from sqlalchemy.orm import Query, Session

from partywall.context import TenantContext
from partywall.errors import ConfigurationError, MissingTenant, WallError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from partywall.runtime.session import AsyncTenantSession, SessionBlock
    from partywall.runtime.tenancy import Tenancy

BOUND = (
    AsyncConnection,
    AsyncGeneratorType,
    AsyncResult,
    AsyncScalarResult,
    AsyncSession,
    Connection,
    CursorResult,
    GeneratorType,
    Query,
    Result,
    ScalarResult,
    Session,
)
"""What would take the session out of the repository, or be read after its end."""


class TenantRepository:
    """The base of an application's repositories: methods take the context, and give values.

    Every public method of a subclass takes `context: TenantContext` first, and works in
    `self.session(context)` or `self.async_session(context)`. Endpoints get what it returns, never
    a session.

    Args:
        tenancy: where the sessions come from.

    Raises:
        ConfigurationError: when a class is defined whose public method doesn't take the context.
        MissingTenant: when a method is called with something else.
        WallError: when a method returns a session, a connection, or rows that are not yet read.
    """

    def __init__(self, tenancy: Tenancy) -> None:
        self._tenancy = tenancy

    def __init_subclass__(cls, **options: Any) -> None:
        """Hold the methods of a new class to the rules, and have them kept at every call."""
        super().__init_subclass__(**options)
        for name, member in list(vars(cls).items()):
            if not name.startswith("_") and not isinstance(member, type):
                setattr(cls, name, held(cls, name, member))

    def session(self, context: TenantContext) -> SessionBlock:
        """A session of the tenant, for the methods of the repository."""
        return self._tenancy.session(context)

    def async_session(
        self, context: TenantContext
    ) -> AbstractAsyncContextManager[AsyncTenantSession]:
        """As `session`, for async code."""
        return self._tenancy.async_session(context)


def held(owner: type, name: str, member: Any) -> Any:
    """A member of a repository as it will be called; what is no method stays as it is.

    Raises:
        ConfigurationError: for a method without the context, and for what has no first argument
            to give it in: a property, a static method.
    """
    if not callable(member) and not isinstance(member, (property, staticmethod, classmethod)):
        return member
    given = list(inspect.signature(member).parameters) if inspect.isfunction(member) else []
    if given[1:2] != ["context"] or hasattr(TenantRepository, name):
        raise ConfigurationError(
            f"{owner.__name__}.{name} is public and does not take the tenant: write "
            f"def {name}(self, context: TenantContext, …), or begin its name with an underscore"
        )
    if inspect.isgeneratorfunction(member) or inspect.isasyncgenfunction(member):
        raise ConfigurationError(
            f"{owner.__name__}.{name} gives its values one by one, while its session is open: "
            "return a list"
        )
    return (
        awaited(owner, name, member)
        if inspect.iscoroutinefunction(member)
        else called(owner, name, member)
    )


def called(owner: type, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """*method* with its argument and its outcome held to the rules."""

    @wraps(method)
    def call(self: TenantRepository, context: TenantContext, *args: Any, **options: Any) -> Any:
        checked(owner, name, context)
        return released(owner, name, method(self, context, *args, **options))

    return call


def awaited(owner: type, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """As `called`, for a coroutine."""

    @wraps(method)
    async def call(
        self: TenantRepository, context: TenantContext, *args: Any, **options: Any
    ) -> Any:
        checked(owner, name, context)
        return released(owner, name, await method(self, context, *args, **options))

    return call


def checked(owner: type, name: str, context: object) -> None:
    """Take nothing but a context."""
    if not isinstance(context, TenantContext):
        raise MissingTenant(f"{owner.__name__}.{name} needs a TenantContext as its first argument")


def released(owner: type, name: str, outcome: Any) -> Any:
    """Let out what is no part of the session."""
    if isinstance(outcome, BOUND):
        raise WallError(
            f"{owner.__name__}.{name} returned a {type(outcome).__name__}, which belongs to its "
            "session: read the rows inside, and return a list or a value"
        )
    return outcome
