"""A JSON schema from examples: types, formats, what is always there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

AT_MOST = 50
"""So many examples of one thing are looked at."""

FORMATS = {
    "uuid": re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE),
    "date-time": re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "uri": re.compile(r"https?://\S+"),
}
WORDS = re.compile(r"true|false")
WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")
NUMBER = re.compile(r"-?\d+\.\d+")


def inferred(examples: Iterable[Any]) -> dict[str, Any]:
    """A schema that all *examples* are valid by; {} where they say nothing."""
    several = list(examples)[:AT_MOST]
    by_type: dict[str, list[Any]] = {}
    for one in several:
        by_type.setdefault(_type(one), []).append(one)
    if "number" in by_type and "integer" in by_type:
        by_type["number"] += by_type.pop("integer")
    nullable = by_type.pop("null", None) is not None
    kinds = [_of_type(kind, values) for kind, values in by_type.items()]
    if not kinds:
        return {}
    if len(kinds) == 1:
        kind = kinds[0]
        return {**kind, "type": [kind["type"], "null"]} if nullable else kind
    return {"anyOf": [*kinds, *([{"type": "null"}] if nullable else [])]}


def inferred_from_texts(texts: Iterable[str]) -> dict[str, Any]:
    """The same where all travels as text: queries, paths, forms."""
    several = list(texts)[:AT_MOST]
    for kind, pattern in (("boolean", WORDS), ("integer", WHOLE), ("number", NUMBER)):
        if several and all(pattern.fullmatch(one) for one in several):
            return {"type": kind}
    return inferred(several)


def _type(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")


def _of_type(kind: str, values: list[Any]) -> dict[str, Any]:
    if kind == "string":
        for name, pattern in FORMATS.items():
            if all(pattern.fullmatch(value) for value in values):
                return {"type": kind, "format": name}
    if kind == "array":
        items = [item for value in values for item in value]
        return {"type": kind, "items": inferred(items)}
    if kind == "object":
        names = dict.fromkeys(name for value in values for name in value)
        properties = {n: inferred([v[n] for v in values if n in v]) for n in names}
        required = [n for n in names if all(n in value for value in values)]
        return {"type": kind, "properties": properties, "required": required}
    return {"type": kind}
