"""No route without a tenant by accident: checked at start-up, and again whenever routes change."""

from __future__ import annotations

from dataclasses import dataclass
from operator import is_not
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi.routing import iter_route_contexts
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Host, Mount, Router

from partywall.adapters.fastapi.sessions import KEY, Exchange
from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from fastapi.dependencies.models import Dependant
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

T = TypeVar("T")

MARK = "__partywall_public__"
LISTS = ("routes", "_low_priority_routes")
"""Where a router keeps what it serves: routes, and frontends, which match where no route does."""

DOCUMENTATION = "FastAPI.setup.<locals>."
"""Where FastAPI defines the pages that describe an application."""


def public(open_to_all: T) -> T:
    """Say that a handler, or an application that is mounted, answers without a tenant.

    The mark holds for this very object: what wraps it, another decorator for instance, has to be
    marked itself.

    Raises:
        ConfigurationError: for an object that can't be marked.
    """
    try:
        setattr(open_to_all, MARK, open_to_all)
    except AttributeError as error:
        raise ConfigurationError(
            f"@public can't mark this {type(open_to_all).__name__}: wrap it in a function"
        ) from error
    return open_to_all


def is_public(found: object) -> bool:
    """Whether this very object was marked; of a method, its function."""
    function = getattr(found, "__func__", found)
    return function is not None and getattr(function, MARK, None) is function


@dataclass(frozen=True, slots=True)
class Found:
    """A route, or something that answers like one.

    Attributes:
        path: where it is.
        answers: what answers there.
        dependant: FastAPI's tree of its dependencies; None where it has none.
    """

    path: str
    answers: object
    dependant: Dependant | None


def found(routes: Collection[BaseRoute], prefix: str = "") -> Iterator[Found]:
    """Everything that answers below *routes*, through included routers and mounted applications."""
    for context in iter_route_contexts(list(routes)):
        path = prefix + (context.path or "")
        route = context.original_route
        if isinstance(route, (Mount, Host)):
            yield from mounted(route, path)
        else:
            dependant = getattr(context, "dependant", None)
            yield Found(path, context.endpoint, dependant)


def mounted(route: Mount | Host, path: str) -> Iterator[Found]:
    """Everything that answers below a mount; the mount itself where that can't be seen."""
    inner = inside(route)
    if is_public(inner) or not isinstance(inner, (Starlette, Router)):
        yield Found(path, inner, None)
    else:
        yield from found(inner.routes, path)
        yield from elsewhere(inner, path)


def inside(route: Mount | Host) -> object:
    """The application that is mounted, without the middleware of the mount."""
    return getattr(route, "_base_app", route.app)


def elsewhere(owner: object, path: str = "") -> Iterator[Found]:
    """What answers where no route matches: `app.frontend`, and a default that isn't Starlette's."""
    router = getattr(owner, "router", owner)
    default = getattr(router, "default", None)
    if getattr(default, "__func__", default) is not getattr(type(router), "not_found", None):
        yield Found(f"{path}/ (default)", default, None)
    for group in getattr(router, "_iter_low_priority_routes", tuple)():
        yield Found(f"{path}/ (frontend)", None, group.dependant)


def admitted(dependant: Dependant | None, access: type) -> bool:
    """Whether the dependency that admits to a tenant is somewhere in the tree."""
    if dependant is None:
        return False
    return any(
        isinstance(each.call, access) or admitted(each, access) for each in dependant.dependencies
    )


def documents(answers: object) -> bool:
    """Whether it is one of FastAPI's own pages of documentation, which hold no tenant's data."""
    return getattr(answers, "__module__", "") == "fastapi.applications" and getattr(
        answers, "__qualname__", ""
    ).startswith(DOCUMENTATION)


def applications(app: Starlette) -> Iterator[Starlette]:
    """*app*, and the applications that are mounted in it."""
    yield app
    for owner in owners(app.router):
        for route in owner.routes:
            inner = inside(route) if isinstance(route, (Mount, Host)) else None
            if isinstance(inner, Starlette):
                yield inner


def owners(router: Router) -> Iterator[Any]:
    """Everything with a list of routes of its own: routers, included and mounted ones too."""
    waiting: list[Any] = [router]
    seen: set[int] = set()
    while waiting:
        owner = waiting.pop()
        if id(owner) in seen:
            continue
        seen.add(id(owner))
        yield owner
        for route in owner.routes:
            inner = inside(route) if isinstance(route, (Mount, Host)) else None
            inner = getattr(route, "original_router", getattr(inner, "router", inner))
            if isinstance(inner, Router):
                waiting.append(inner)
        waiting.extend(getattr(owner, LISTS[1], ()))


class Gate:
    """Stands before an application's router: nothing is served unless every route was checked.

    Args:
        app: the application.
        access: the class of the dependency that admits to a tenant.
        files: paths of frontends and of what is mounted that answer without a tenant.
        prepare: is called for each application found, before it serves.
        ended: is called when the server shuts down.
    """

    def __init__(
        self,
        app: Starlette,
        *,
        access: type,
        files: Collection[str],
        prepare: Callable[[Starlette], None],
        ended: Callable[[], None],
    ) -> None:
        self._app = app
        self._access = access
        self._files = frozenset(files)
        self._prepare = prepare
        self._ended = ended
        self._checked: list[tuple[Any, str, list[BaseRoute]]] = []
        self._behind: ASGIApp = app.router.middleware_stack
        app.router.middleware_stack = self

    def check(self) -> None:
        """Look at every route.

        Raises:
            ConfigurationError: when one has neither the dependency nor the mark; it names them.
        """
        checked = [
            (owner, name, list(getattr(owner, name)))
            for owner in owners(self._app.router)
            for name in LISTS
            if hasattr(owner, name)
        ]
        for app in applications(self._app):
            self._prepare(app)
        everything = [*found(self._app.routes), *elsewhere(self._app)]
        bare = [each for each in everything if not self._sound(each)]
        if bare:
            names = ", ".join(sorted({each.path for each in bare}))
            raise ConfigurationError(
                f"these routes neither depend on the tenant's access nor are marked: {names}. Give "
                "each Annotated[TenantContext, Depends(access)], or say @public where it answers "
                "without a tenant"
            )
        self._checked = checked

    def _sound(self, each: Found) -> bool:
        if admitted(each.dependant, self._access) or is_public(each.answers):
            return True
        return each.path in self._files or documents(each.answers)

    def _changed(self) -> bool:
        if not self._checked:
            return True
        for owner, name, routes in self._checked:
            now = getattr(owner, name)
            if len(now) != len(routes) or any(map(is_not, now, routes)):
                return True
        return False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, unless the routes have changed into what may not be served."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        if self._changed():
            self.check()
        exchange = scope[KEY] = Exchange()

        async def sent(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                exchange.complete = True

        await self._behind(scope, receive, sent)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self.check()  # Starlette tells the server that it failed
            elif message["type"].startswith("lifespan.shutdown"):
                self._ended()
            await send(message)

        await self._behind(scope, receive, sent)
