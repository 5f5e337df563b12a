"""The parts of a description, wherever references lead to, or the place that is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.http.operations import Schema

HOPS = 16
"""References that lead to references end there."""


@dataclass(frozen=True, slots=True)
class Document:
    """A description, and how errors name it.

    Raises (when asked for a part):
        ConfigurationError: it isn't what belongs there; the message names the place.
    """

    content: Mapping[str, Any]
    where: str

    def table(self, value: object, at: str) -> Mapping[str, Any]:
        """*value* as an object, its reference followed; nothing is an empty one."""
        found = self.followed(value)
        if isinstance(value, dict) and isinstance(value.get("$ref"), str):
            if not isinstance(found, dict) or found.get("$ref"):
                raise self.wrong(f"{at} refers to {value['$ref']}, which leads nowhere")
            found = {**found, **{k: v for k, v in value.items() if k != "$ref"}}
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise self.wrong(f"{at} must be an object, and is a {type(found).__name__}")
        return found

    def items(self, value: object, at: str) -> list[Any]:
        """*value* as a list; nothing is an empty one."""
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(f"{at} must be a list, and is a {type(value).__name__}")
        return value

    def followed(self, value: object) -> object:
        """What *value* refers to, if it refers to anything; None for nothing."""
        for _ in range(HOPS):
            reference = value.get("$ref") if isinstance(value, dict) else None
            if not isinstance(reference, str) or not reference.startswith("#"):
                return value
            value = referred(self.content, reference)
        return None

    def wrong(self, message: str) -> ConfigurationError:
        """The error that says it, with the description's place."""
        return ConfigurationError(f"{self.where}: {message}")


def referred(document: object, reference: str) -> object:
    """What a reference within *document*, ``#/…``, leads to; None for nothing, or elsewhere."""
    if not reference.startswith("#"):
        return None
    return pointed(document, unquote(reference[1:]))


def pointed(document: object, pointer: str) -> object:
    """What a JSON pointer leads to in *document* (RFC 6901); None for nothing."""
    found = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def inlined(schema: Schema, document: Mapping[str, Any]) -> dict[str, Any]:
    """*schema* without references into *document*; where it contains itself stands {}."""
    whole = _without(schema, document, ())
    return whole if isinstance(whole, dict) else {}


def _without(value: object, document: Mapping[str, Any], above: tuple[str, ...]) -> object:
    if isinstance(value, list):
        return [_without(each, document, above) for each in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if not isinstance(reference, str):
        return {name: _without(inner, document, above) for name, inner in value.items()}
    if reference in above:
        return {}
    return _without(referred(document, reference), document, (*above, reference))
