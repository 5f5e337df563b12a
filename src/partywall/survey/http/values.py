"""A plausible value for each field, with a canary wherever there is room for one."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeGuard

from partywall.survey.http.generating import LONGEST, patterned
from partywall.survey.http.naming import (
    CLOSED,
    GRANTS,
    NAMED,
    OPEN,
    SECRET,
    VISIBILITY,
    chosen,
    private,
    visible,
)
from partywall.survey.http.nouns import snake
from partywall.survey.http.wire import Upload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.http.ledger import Ledger

__all__ = ["Values", "chosen", "visible"]

TODAY = datetime(2031, 5, 17, 9, 30, tzinfo=UTC)
LATER = TODAY + timedelta(days=400)
FIXED = {
    "date": LATER.date().isoformat(), "date-time": LATER.isoformat(), "time": "09:30:00",
    "duration": "P1D", "ipv4": "192.0.2.1", "ip": "192.0.2.1", "ipv6": "2001:db8::1",
}  # fmt: skip
"""Texts of formats that have no room for a canary."""
AROUND = {
    "email": "{}@example.com", "idn-email": "{}@example.com", "hostname": "{}.example.com",
    "uri": "https://example.com/{}", "url": "https://example.com/{}",
    "uri-reference": "https://example.com/{}", "iri": "https://example.com/{}",
}  # fmt: skip
"""Texts of formats that have room for one."""
ADDRESSES = ("url", "uri", "link", "website", "endpoint", "webhook")


class Values:
    """Makes values for one owner.

    Attributes:
        planted: each canary that was made.
        filed: what files hold as JSON; None where any text will do.
    """

    def __init__(self, ledger: Ledger, owner: str) -> None:
        self._ledger = ledger
        self._owner = owner
        self.planted: list[str] = []
        self.filed: Any = None

    def canary(self) -> str:
        """A new canary."""
        found = self._ledger.canary(self._owner)
        self.planted.append(found)
        return found

    def value(self, name: str, schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
        """What to send for a field of that name and schema; lists are the caller's to make."""
        plain = snake(name)
        if schema.get("enum"):
            return chosen(plain, schema)
        match schema.get("type", "string"):
            case "string":
                return self._text(plain, schema)
            case "integer" | "number" as kind:
                return self._number(plain, schema, whole=kind == "integer")
            case "boolean":
                return plain in CLOSED or (plain not in OPEN and bool(schema.get("default")))
            case "object":
                empty = schema.get("additionalProperties") is False or plain in GRANTS
                return {} if empty else {"note": self.canary()}
            case _:
                return None

    def _text(self, name: str, schema: Mapping[str, Any]) -> str | Upload:
        form = str(schema.get("format", ""))
        media = str(schema.get("contentMediaType", ""))
        if form == "binary" or media.startswith("application/octet"):
            canary = self.canary()
            if self.filed is not None:
                return Upload(f"{canary}.json", json.dumps(self.filed))
            return Upload(f"{canary}.txt", f"{canary}\n")
        if (made := self._formatted(form)) is not None:
            return made
        if schema.get("pattern"):
            return patterned(schema, self.canary())
        made = self._named(name, form)
        if made is None and name in VISIBILITY:
            made = private(str(schema.get("description", "")))
        return self._fitting(schema) if made is None else made

    def _formatted(self, form: str) -> str | None:
        """A text of a format; None where there is no such format."""
        if form in {"uuid", "uuid4", "guid"}:
            return str(uuid.UUID(int=self._ledger.random.getrandbits(128), version=4))
        if form in {"byte", "base64", "base64url"}:
            return base64.b64encode(self.canary().encode()).decode()
        if form in AROUND:
            return AROUND[form].format(self.canary())
        return FIXED.get(form)

    def _named(self, name: str, form: str) -> str | None:
        """A text for a field whose name says what it has to be; None where it doesn't."""
        if name in SECRET or form == "password":
            return f"Pw-{self.canary()}-Zz9!"
        if "email" in name:
            return AROUND["email"].format(self.canary())
        if name.endswith(ADDRESSES):
            return AROUND["url"].format(self.canary())
        if name.endswith(("_at", "_time")) or name in {"datetime", "timestamp"}:
            return TODAY.isoformat()
        if name.endswith("date"):
            return FIXED["date"]
        usual = NAMED.get(name)
        return usual if isinstance(usual, str) else None

    def _fitting(self, schema: Mapping[str, Any]) -> str:
        """A canary of the length that is asked for: one that is cut off proves nothing."""
        canary, longest = self.canary(), schema.get("maxLength", LONGEST)
        if len(canary) > longest:
            return str(schema.get("default") or canary[len(canary) - longest :])
        return canary.ljust(schema.get("minLength", 0), "x")

    def _number(self, name: str, schema: Mapping[str, Any], *, whole: bool) -> float:
        low, high = bounds(schema)
        default, usual = schema.get("default"), NAMED.get(name)
        if numeric(default):
            return default
        step = schema.get("multipleOf")
        if isinstance(usual, int):
            return stepped(min(max(usual, low), high), step, low)
        told = self._ledger.number(self._owner, low, high)
        if told is not None:
            return stepped(told, step, low)
        below = numeric(schema.get("exclusiveMaximum"))
        return stepped(least(low, high, whole=whole, below=below), step, low)


def numeric(value: object) -> TypeGuard[float]:
    """Whether it is a number: OpenAPI 3.0 has booleans where 3.1 has bounds."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def bounds(schema: Mapping[str, Any]) -> tuple[float, float]:
    """The least and the greatest number that a schema lets through, or nearly so."""
    low = [schema[key] for key in ("minimum", "exclusiveMinimum") if numeric(schema.get(key))]
    high = [schema[key] for key in ("maximum", "exclusiveMaximum") if numeric(schema.get(key))]
    return (low[0] if low else 0), (high[0] if high else LONGEST)


def least(low: float, high: float, *, whole: bool, below: bool) -> float:
    """A small number within bounds; with *below* the upper one is none that may be sent."""
    found = min(high, low + 1)
    if below and found == high and not whole:
        found = (low + high) / 2
    return int(found) if whole else float(found)


def stepped(value: float, step: float | None, low: float) -> float:
    """The number itself where it is a multiple of *step*, else a small one that is."""
    if not step or Fraction(value) % Fraction(str(step)) == 0:
        return value
    return step * max(1, int(low / step) + 1)
