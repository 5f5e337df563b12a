"""Operations from an application's own route table: FastAPI, Starlette, Flask, Django.

No framework is imported unless the application is made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from partywall.survey.http import routes_django, routes_flask, routes_starlette
from partywall.survey.http.operations import Operation

Reader: TypeAlias = Callable[[Any], Iterator[Operation]]

READERS: Mapping[str, Reader] = {
    "starlette.applications.Starlette": routes_starlette.operations,
    "starlette.routing.Router": routes_starlette.operations,
    "flask.app.Flask": routes_flask.operations,
    "django.core.handlers.base.BaseHandler": routes_django.operations,
}
INNER = ("app", "application", "wsgi_app", "asgi_app", "other_asgi_app", "wsgi_application")
"""Where middleware keeps what it stands before."""
DEEPEST = 12


def read(app: object, prefix: str = "") -> tuple[Operation, ...]:
    """What *app* answers to, by its route table; () for an application of another kind.

    Middleware is looked through, and what is mounted within is read too. *prefix* goes before each
    path.
    """
    return tuple(_within(app, prefix, DEEPEST))


def described(app: object) -> Mapping[str, Any] | None:
    """The OpenAPI description that *app* makes of itself, as FastAPI does; None for none."""
    for inner in _layers(app):
        if _is(inner, "fastapi.applications.FastAPI"):
            made: Mapping[str, Any] = inner.openapi()
            return made
    return None


def _within(app: object, prefix: str, depth: int) -> Iterator[Operation]:
    for layer in _layers(app) if depth else ():
        mounts = getattr(layer, "mounts", None)  # werkzeug's dispatcher
        for path, inner in mounts.items() if isinstance(mounts, dict) else ():
            yield from _within(inner, prefix + path, depth - 1)
        reader = next((READERS[name] for name in READERS if _is(layer, name)), None)
        if reader is None:
            continue
        for one in reader(layer):
            yield replace(one, path=prefix + one.path, known_from="routes")
        if reader is routes_starlette.operations:
            for path, inner in routes_starlette.mounted(layer):
                yield from _within(inner, prefix + path, depth - 1)
        return


def _layers(app: object) -> Iterator[Any]:
    """*app* and what it stands before, outermost first."""
    seen: set[int] = set()
    while app is not None and id(app) not in seen:
        seen.add(id(app))
        yield app
        own = vars(app) if hasattr(app, "__dict__") else {}
        served = own.get("application_mapping")  # Django Channels: by protocol
        if isinstance(served, dict):
            own = {"app": served.get("http")}
        app = next((own[name] for name in INNER if callable(own.get(name))), None)


def _is(app: object, name: str) -> bool:
    return any(f"{kind.__module__}.{kind.__qualname__}" == name for kind in type(app).__mro__)
