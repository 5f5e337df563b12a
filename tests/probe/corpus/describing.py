"""OpenAPI descriptions by hand, for frameworks that write none."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACEHOLDER = re.compile(r"{(\w+)}")
TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}
BEARER = {"type": "http", "scheme": "bearer"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a description says of one operation. A shape is `{"title": str, "tags": [str]}`.

    Attributes:
        body: of the request; a name that ends in `?` is optional, `bytes` is a file.
        gives: of the success; None where nothing is said.
        query, headers, cookies: name -> type; a tuple of texts is an enumeration.
        ids: path parameters that aren't texts.
        media: of the body.
        open: no token is needed.
    """

    body: object = None
    gives: object = None
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    cookies: Mapping[str, Any] = field(default_factory=dict)
    ids: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    media: str = "application/json"
    open: bool = False


def schema(shape: Any) -> dict[str, Any]:  # noqa: ANN401 - a shape
    """JSON Schema of a shape."""
    match shape:
        case dict() if shape and all(isinstance(name, str) for name in shape):
            required = [name for name in shape if not name.endswith("?")]
            properties = {name.rstrip("?"): schema(one) for name, one in shape.items()}
            return {"type": "object", "properties": properties, "required": required}
        case [one]:
            return {"type": "array", "items": schema(one)}
        case tuple():
            return {"type": "string", "enum": list(shape)}
        case _:
            pass
    if shape is bytes:
        return {"type": "string", "format": "binary"}
    return {"type": TYPES[shape]} if shape in TYPES else {"type": "object"}


def described(
    title: str, operations: Mapping[str, Told], scheme: Mapping[str, Any] | None = BEARER
) -> dict[str, Any]:
    """OpenAPI 3.0 of ``METHOD /path/{template}`` -> what is told; None: authentication isn't."""
    paths: dict[str, dict[str, Any]] = {}
    for at, told in operations.items():
        method, path = at.split(" ")
        paths.setdefault(path, {})[method.lower()] = operation(path, told)
    said: dict[str, Any] = {
        "openapi": "3.0.3",
        "info": {"title": title, "version": "1"},
        "paths": paths,
    }
    if scheme is not None:
        said["components"] = {"securitySchemes": {"wall": dict(scheme)}}
        said["security"] = [{"wall": []}]
    return said


def operation(path: str, told: Told) -> dict[str, Any]:
    """One operation of a description."""
    places = {
        "path": {name: told.ids.get(name, str) for name in PLACEHOLDER.findall(path)},
        "query": told.query,
        "header": told.headers,
        "cookie": told.cookies,
    }
    success: dict[str, Any] = {"description": "done"}
    if told.gives is not None:
        success["content"] = {"application/json": {"schema": schema(told.gives)}}
    said: dict[str, Any] = {
        "parameters": [
            {"name": name, "in": place, "required": place == "path", "schema": schema(shape)}
            for place, names in places.items()
            for name, shape in names.items()
        ],
        "responses": {str(told.status): success},
    }
    if told.body is not None:
        content = {told.media: {"schema": schema(told.body)}}
        said["requestBody"] = {"required": True, "content": content}
    if told.open:
        said["security"] = []
    return said
