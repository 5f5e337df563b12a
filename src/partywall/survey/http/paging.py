"""Parameters that page through a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.survey.http.nouns import snake
from partywall.survey.http.schemas import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.http.operations import Operation, Parameter

LIMITING = frozenset({"limit", "size", "page_size", "per_page", "count", "top", "first"})
PAGING = frozenset({"page", "offset", "skip", "start", "after", "cursor", "from"})
NUMBERED = "page"
FIRST, MANY = "1", "50"


def paged(operation: Operation, document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The query of a first long page: a number and a size; () where it takes not both.

    Some answer with a page only when they are asked for one, from a query of its own.
    """
    found = {
        snake(one.name): one.name
        for one in operation.parameters
        if one.place == "query" and not one.required and _type(one, document) == "integer"
    }
    size = next((found[name] for name in found if name in LIMITING), None)
    if size is None or NUMBERED not in found:
        return ()
    return (found[NUMBERED], FIRST), (size, MANY)


def _type(one: Parameter, document: Mapping[str, Any]) -> object:
    return resolve(one.schema, document).get("type")
