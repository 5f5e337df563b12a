"""Whether a value can stand in a column, as far as its type goes; the server has the last word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from partywall.catalog.facts import Column

INTEGER = re.compile(r"[+-]?\d{1,19}")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
UUID_FORM = re.compile(r"\{?[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?")
DATED = re.compile(r"\d{4}-\d\d-\d\d.*|-?infinity")
BOUNDS = {"int2": 2**15, "int4": 2**31, "int8": 2**63, "oid": 2**32}
TEXTS = ("text", "varchar", "bpchar", "citext", "name")
UNREADABLE = {"bytea", "bit", "varbit", "inet", "cidr", "xml"}
"""Types whose text takes more than a glance to tell."""

RULES: Mapping[str, Callable[[str], bool]] = {
    **dict.fromkeys(("numeric", "float4", "float8", "money"), lambda v: bool(NUMBER.fullmatch(v))),
    **dict.fromkeys(("timestamp", "timestamptz", "date"), lambda v: bool(DATED.fullmatch(v))),
    **dict.fromkeys(
        ("json", "jsonb"), lambda v: v[:1] in set('{["') or v in {"null", "true", "false"}
    ),
    "uuid": lambda v: bool(UUID_FORM.fullmatch(v)),
    "bool": lambda v: v.lower() in {"true", "false", "t", "f"},
}


def fits(column: Column, value: str) -> bool:
    """Whether *value* can stand in *column* as far as its type goes."""
    base = column.base
    if column.enum:
        return value in column.enum
    if column.element:
        return value.startswith("{")
    if base in BOUNDS:
        return bool(INTEGER.fullmatch(value)) and -BOUNDS[base] <= int(value) < BOUNDS[base]
    if base in TEXTS:
        return column.length is None or len(value) <= column.length
    return RULES[base](value) if base in RULES else base not in UNREADABLE
