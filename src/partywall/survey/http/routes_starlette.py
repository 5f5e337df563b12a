"""The route table of a Starlette or FastAPI application."""

from __future__ import annotations

import copy
import dataclasses
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from partywall.survey.http import description
from partywall.survey.http.following import inlined
from partywall.survey.http.operations import PLACEHOLDER, SOCKET, Operation, Parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TYPES = {"IntegerConvertor": "integer", "FloatConvertor": "number"}
METHODS = ("get", "post", "put", "patch", "delete")
OWN = ("fastapi.", "starlette.")
"""Modules whose endpoints are the framework's: documentation, redirects."""


def operations(app: Any) -> Iterator[Operation]:  # noqa: ANN401 - a Starlette or its router
    """Each of its routes, also those that its description leaves out."""
    found = list(_flat(app.routes))
    told = {(one.method, one.path): one for one in _described(found)}
    for route in found:
        endpoint = getattr(route, "endpoint", None)
        if endpoint is None or f"{endpoint.__module__}.".startswith(OWN):
            continue
        if _is_socket(route):
            queries = tuple(_queries(route))
            yield Operation(SOCKET, route.path_format, (*_parameters(route), *queries))
            continue
        for method in _methods(route, endpoint):
            path = route.path_format
            yield told.get((method, path)) or Operation(
                method, path, tuple(_parameters(route)), name=str(route.name or "")
            )


def mounted(app: Any) -> Iterator[tuple[str, object]]:  # noqa: ANN401 - as above
    """Path and application of each mount; of a host's routes, the path is ""."""
    for route in _flat(app.routes):
        inner = getattr(route, "app", None)
        if getattr(route, "endpoint", None) is None and inner is not None:
            yield (getattr(route, "path_format", None) or "").removesuffix("/{path}"), inner


def _flat(routes: Iterable[Any]) -> Iterator[Any]:
    """Routes with their whole paths: newer versions of FastAPI keep included routers as trees."""
    fastapi = sys.modules.get("fastapi.routing")
    if fastapi is not None and hasattr(fastapi, "iter_route_contexts"):
        yield from fastapi.iter_route_contexts(list(routes))
    else:
        yield from routes


def _methods(route: Any, endpoint: Any) -> list[str]:  # noqa: ANN401 - any framework's
    methods = getattr(route, "methods", None)
    if methods is None and isinstance(endpoint, type):
        methods = {name.upper() for name in METHODS if hasattr(endpoint, name)}
    return sorted(set(methods or ()) - {"HEAD", "OPTIONS"})


def _is_socket(route: Any) -> bool:  # noqa: ANN401 - as above
    kinds = type(getattr(route, "original_route", route)).__mro__
    return any(kind.__name__ == "WebSocketRoute" for kind in kinds)


def _queries(route: Any) -> Iterator[Parameter]:  # noqa: ANN401 - as above
    """What a WebSocket of FastAPI takes in its query, its dependencies included."""
    asked = [getattr(getattr(route, "original_route", route), "dependant", None)]
    while asked:
        dependant = asked.pop()
        if dependant is not None:
            asked += dependant.dependencies
            for one in dependant.query_params:
                yield Parameter(one.alias, "query", one.field_info.is_required())


def _parameters(route: Any) -> Iterator[Parameter]:  # noqa: ANN401 - as above
    for name in PLACEHOLDER.findall(route.path_format):
        kind = type(route.param_convertors.get(name)).__name__
        schema = {"type": TYPES.get(kind, "string")}
        if kind == "UUIDConvertor":
            schema["format"] = "uuid"
        yield Parameter(name, "path", required=True, schema=schema)


def _described(routes: Iterable[Any]) -> tuple[Operation, ...]:
    """FastAPI's own account of them, the hidden ones included; () where it has none to give."""
    fastapi: Any = sys.modules.get("fastapi.openapi.utils")
    if fastapi is None:
        return ()
    visible: list[Any] = []
    for route in routes:
        if hasattr(route, "include_in_schema") and hasattr(route, "dependant"):
            # A frozen account of a route is made anew for each who asks; a route is the app's own.
            one = route if dataclasses.is_dataclass(route) else copy.copy(route)
            object.__setattr__(one, "include_in_schema", True)
            visible.append(one)
    try:
        api = description.read(fastapi.get_openapi(title="", version="", routes=visible))
    except Exception:  # noqa: BLE001 - a route that was hidden because it can't be described
        return ()
    return tuple(
        replace(
            one,
            parameters=tuple(
                replace(p, schema=inlined(p.schema, api.document)) for p in one.parameters
            ),
            payloads=tuple(
                replace(p, schema=inlined(p.schema, api.document)) for p in one.payloads
            ),
            answer=inlined(one.answer, api.document),
        )
        for one in api.operations
    )
