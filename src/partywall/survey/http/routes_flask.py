"""The route table of a Flask application."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from partywall.survey.http.operations import Operation, Parameter

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = re.compile(r"<(?:(?P<kind>\w+)(?:\(.*?\))?:)?(?P<name>\w+)>")
TYPES = {"int": "integer", "float": "number"}


def operations(app: Any) -> Iterator[Operation]:  # noqa: ANN401 - a Flask
    """Each of its rules, blueprints included; static files are left out."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static" or rule.endpoint.endswith(".static"):
            continue
        view = app.view_functions.get(rule.endpoint)
        summary = (getattr(view, "__doc__", None) or "").strip().partition("\n")[0]
        path = VARIABLE.sub(r"{\g<name>}", rule.rule)
        parameters = tuple(_parameter(found) for found in VARIABLE.finditer(rule.rule))
        for method in sorted(set(rule.methods or ()) - {"HEAD", "OPTIONS"}):
            yield Operation(method, path, parameters, name=rule.endpoint, summary=summary)


def _parameter(found: re.Match[str]) -> Parameter:
    kind = found["kind"] or "string"
    schema = {"type": TYPES.get(kind, "string")}
    if kind == "uuid":
        schema["format"] = "uuid"
    return Parameter(found["name"], "path", required=True, schema=schema)
