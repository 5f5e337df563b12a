"""What tenants have in the API, and how to tell its id from what came back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from partywall.survey.http.ledger import scalars
from partywall.survey.http.nouns import GENERIC, snake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from partywall.survey.http.actors import Actor
    from partywall.survey.http.graph import Kind
    from partywall.survey.http.wire import Answer, Request

PLAIN = ("id", "uuid", "pk", "_id", "identifier")
COMMON = (*PLAIN, "slug", "key", "code", "name", "username")
"""Names of fields that hold an id, the most likely first."""
GONE = frozenset({404, 410})
"""What is answered where a thing is no more."""


@dataclass(frozen=True)
class Exchange:
    """Who asked what, and what came back; `canaries` are those that stand in the request."""

    actor: Actor
    request: Request
    answer: Answer
    canaries: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Resource:
    """One thing of one tenant.

    Attributes:
        kind, owner: what it is, and whose: the tenant's name.
        id: as the API tells it, a number or a text.
        chain: kind -> id, of itself and of what it stands below.
        fields: what its owner was told of it, the outermost scalars by name.
        canaries: those that were planted in it.
        made: how it came to be; None for what was there before.
        ours: whether it is its owner's; what all tenants list is only referred to.
    """

    kind: str
    owner: str
    id: Any
    chain: Mapping[str, Any]
    fields: Mapping[str, Any] = field(default_factory=dict)
    canaries: tuple[str, ...] = ()
    made: Exchange | None = None
    ours: bool = True

    def value(self, parameter: str) -> Any:  # noqa: ANN401 - an id of any type
        """What to put where *parameter* stands: a slug for a slug, else the id."""
        name = snake(parameter)
        if name in GENERIC and name not in PLAIN and parameter in self.fields:
            return self.fields[parameter]
        return self.id


def candidates(kind: Kind, found: Any) -> Iterator[Any]:  # noqa: ANN401 - any JSON
    """The values in *found* that may be the id of one of *kind*, the most likely first."""
    parameters = [snake(name) for name in sorted(kind.parameters)]
    names = [*parameters, f"{kind.name}_id", *COMMON, kind.name]
    if {"id", "pk", "uuid", f"{kind.name}_id"}.issuperset(parameters):
        names.insert(0, "id")
    ranks = {name: rank for rank, name in reversed(list(enumerate(names)))}
    ranked = [
        (depth, ranks[snake(key)], value)
        for depth, key, value in scalars(found)
        if snake(key) in ranks and told(value)
    ]
    seen = set()
    for _, _, value in sorted(ranked, key=lambda each: each[:2]):
        if value not in seen:
            seen.add(value)
            yield value
    if isinstance(found, str | int) and told(found):
        yield found


def told(value: object) -> bool:
    """Whether a value can be an id."""
    return isinstance(value, int | str) and not isinstance(value, bool) and value not in ("", 0)


def outermost(found: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """The scalars of a JSON value by name, those nearest to its top."""
    named: dict[str, Any] = {}
    for _, key, value in scalars(found):
        named.setdefault(key, value)
    return named


def containing(found: Any, texts: tuple[str, ...]) -> Any:  # noqa: ANN401 - any JSON
    """The innermost object of a JSON value that holds one of *texts* itself."""
    if isinstance(found, dict):
        for inner in found.values():
            if (deeper := containing(inner, texts)) is not None:
                return deeper
        own = [str(value).lower() for value in found.values() if isinstance(value, str | int)]
        return found if any(text in value for text in texts for value in own) else None
    if isinstance(found, list):
        for inner in found:
            if (deeper := containing(inner, texts)) is not None:
                return deeper
    return None


def linked(kind: Kind, page: str, texts: tuple[str, ...]) -> str:
    """The id in a link of a page, near to one of *texts*; "" for none."""
    for text in texts:
        at = page.find(text)
        if at < 0:
            continue
        for place in kind.places:
            link = re.compile(re.escape(place.rstrip("/")).replace(r"\{\}", "[^/]+") + r"/([\w-]+)")
            near = [(abs(m.start() - at), m[1]) for m in link.finditer(page)]
            if near:
                return min(near)[1]
    return ""


def listed(found: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any JSON
    """The objects of a list, also where it is wrapped."""
    if isinstance(found, list):
        return [each for each in found if isinstance(each, dict)]
    if isinstance(found, dict):
        inside = [listed(inner) for inner in found.values() if isinstance(inner, list | dict)]
        return max(inside, key=len, default=[])
    return []


def rows(kind: Kind, found: Any) -> list[tuple[Any, dict[str, Any]]]:  # noqa: ANN401 - any JSON
    """The objects of a list that seem to have an id, each after its likeliest one."""
    ids = ((next(candidates(kind, each), None), each) for each in listed(found))
    return [(value, each) for value, each in ids if value is not None]


def vacant(found: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether a JSON value has lists, and all of them are empty."""
    lists = list(_lists(found))
    return bool(lists) and not any(lists)


def _lists(found: Any) -> Iterator[list[Any]]:  # noqa: ANN401 - any JSON
    if isinstance(found, list):
        yield found
    elif isinstance(found, dict):
        for inner in found.values():
            yield from _lists(inner)
