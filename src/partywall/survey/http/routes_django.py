"""The URL patterns of a Django project."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

from partywall.survey.http.operations import Operation, Parameter

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = ("get", "post", "put", "patch", "delete")
VARIABLE = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
NAMED = re.compile(r"%\((\w+)\)s")
TYPES = {"int": "integer"}
STAFF = "admin"
"""Django's own site for staff: no tenant is let in there."""
READS_A_BODY = {"POST", "body", "FILES"}


def operations(_app: object) -> Iterator[Operation]:
    """Each pattern with the methods that its view takes; Django's admin is left out.

    A class says its methods, also Django REST framework's. A function says them by
    ``require_http_methods``; else it takes GET, and what it compares ``request.method`` with.
    """
    resolver = importlib.import_module("django.urls").get_resolver()
    for path, types, view in _patterns(resolver, "", {}):
        parameters = tuple(
            Parameter(name, "path", required=True, schema=schema) for name, schema in types.items()
        )
        told = getattr(view, "view_class", None) or getattr(view, "cls", None) or view
        summary = (getattr(told, "__doc__", None) or "").strip().partition("\n")[0]
        name = str(getattr(told, "__name__", ""))
        for method in sorted(_methods(view)):
            yield Operation(method, path, parameters, name=name, summary=summary)


def _patterns(
    resolver: Any,  # noqa: ANN401 - a URLResolver
    before: str,
    types: dict[str, dict[str, str]],
) -> Iterator[tuple[str, dict[str, dict[str, str]], Any]]:
    for one in resolver.url_patterns:
        path, own = _template(one.pattern)
        whole = (before + path).replace("//", "/")
        if not hasattr(one, "url_patterns"):
            if not re.search(r"\.{format}", whole):  # REST framework's other spelling of each
                yield f"/{whole.lstrip('/')}", {**types, **own}, one.callback
        elif one.app_name != STAFF:
            yield from _patterns(one, before + path, {**types, **own})


def _template(pattern: Any) -> tuple[str, dict[str, dict[str, str]]]:  # noqa: ANN401 - three kinds
    """The template of one pattern, a path or a regular expression, and its parameters' schemas."""
    route = getattr(pattern, "_route", None)
    if route is not None:
        types = {m["name"]: _schema(m["kind"] or "str") for m in VARIABLE.finditer(str(route))}
        return VARIABLE.sub(r"{\g<name>}", str(route)), types
    if not hasattr(pattern, "_regex"):
        return str(pattern), {}  # a language's prefix
    normalize = importlib.import_module("django.utils.regex_helper").normalize
    text, names = max(normalize(str(pattern)), key=lambda form: len(form[1]), default=("", []))
    return NAMED.sub(r"{\1}", text), {name: _schema("str") for name in names}


def _schema(kind: str) -> dict[str, str]:
    schema = {"type": TYPES.get(kind, "string")}
    return {**schema, "format": "uuid"} if kind == "uuid" else schema


def _methods(view: Any) -> set[str]:  # noqa: ANN401 - any callable
    if actions := getattr(view, "actions", None):  # a viewset: method -> name of its action
        return {name.upper() for name in actions} & {name.upper() for name in METHODS}
    kind = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if kind is not None:
        allowed = getattr(kind, "http_method_names", METHODS)
        return {name.upper() for name in METHODS if name in allowed and hasattr(kind, name)}
    found = {"GET"}
    while view is not None:
        code = getattr(view, "__code__", None)
        for name, cell in zip(
            code.co_freevars if code else (), getattr(view, "__closure__", None) or (), strict=False
        ):
            if name == "request_method_list":
                return {str(each).upper() for each in cell.cell_contents} - {"HEAD", "OPTIONS"}
        compared = {one for one in code.co_consts if isinstance(one, str)} if code else set()
        found |= {name.upper() for name in METHODS} & compared
        if code and READS_A_BODY & set(code.co_names):
            found.add("POST")
        view = getattr(view, "__wrapped__", None)
    return found
