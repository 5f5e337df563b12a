"""Arguments of a call as one text: equal for equal calls, and for no others."""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTUAL: tuple[type, ...] = (UUID, Decimal, dt.date, dt.datetime, dt.time)


def digest(arguments: Mapping[str, object]) -> str:
    """A name for a call's arguments, which tells nothing of them.

    Raises:
        TypeError: for an argument of another type than `canonical` knows.
    """
    text = json.dumps(canonical(dict(arguments)), separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(value: object) -> Any:  # noqa: PLR0911 - a form for each type
    """*value* as JSON that says its type too: 1, 1.0, True and "1" differ.

    Raises:
        TypeError: for types without one form; `repr` is none, it may hold an address.
    """
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if isinstance(value, float) and kind is float and math.isfinite(value):
        return ["float", value.hex()]
    if isinstance(value, bytes) and kind is bytes:
        return ["bytes", value.hex()]
    if kind in TEXTUAL:
        zone = getattr(value, "tzinfo", None)  # of a time without a date the text doesn't tell it
        return [kind.__name__, str(value), *([] if zone is None else [str(zone)])]
    if isinstance(value, enum.Enum):
        told = value.value if isinstance(value, enum.Flag) else value.name  # flags may have none
        return ["enum", f"{kind.__module__}.{kind.__qualname__}", told]
    if isinstance(value, (list, tuple)) and kind in (list, tuple):
        return [kind.__name__, *map(canonical, value)]
    if isinstance(value, (set, frozenset)) and kind in (set, frozenset):
        return ["set", *sorted(map(canonical, value), key=json.dumps)]
    if isinstance(value, dict) and kind is dict:
        pairs = [[canonical(key), canonical(each)] for key, each in value.items()]
        return ["dict", *sorted(pairs, key=json.dumps)]
    raise TypeError(
        f"an argument of type {kind.__name__} can't be part of a cached answer's name: pass what "
        "it stands for, as text, number, bytes, UUID, Decimal, date, enum, or list, set or dict of "
        "these"
    )
