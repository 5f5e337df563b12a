"""Attack: a list, a count, a search or an export, asked for more than one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.survey.http.attempt import Attempt, Extra, Sight, alike, attack
from partywall.survey.http.nouns import snake
from partywall.survey.http.paging import LIMITING, PAGING, paged
from partywall.survey.http.schemas import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.http.operations import Parameter

SEARCHING = frozenset(
    {
        "q", "query", "search", "term", "filter", "name", "title", "text", "keyword", "keywords",
        "contains", "prefix", "like", "email", "slug", "where", "match", "s",
    }
)  # fmt: skip
INCLUDING = frozenset({"include", "expand", "with", "embed", "fields", "populate", "relations"})
SORTING = frozenset({"sort", "order", "order_by", "sort_by", "ordering"})
EVERY = ("all", "*", "any")
MANY = 10_000
FEW = 6
"""So many choices, and kinds to include, are tried of one parameter."""
LONGEST = 30


@attack(
    "PW306",
    effect="read",
    fix="begin every query that lists, counts or searches with the caller's tenant",
)
def widened_list(sight: Sight) -> Iterator[Attempt]:
    """List without naming anything of another tenant; then with every option that may show more.

    Pages, limits, sort orders, scopes, ``include`` and ``expand`` lead to queries of their own, of
    which one may lack the tenant's condition. A search for what all of the victim's texts begin
    with must find none of them.

    Affected:
        Lists and searches with options: a scope, a sort order, pages, related things to include.

    Breaches:
        faults/scope_all: GET /reports
        globex lists its reports: 200, its own reports
        acme lists with scope=all: 200, with globex's among them

    Holds:
        sound/search_answers_query: GET /songs/search
        globex searches: 200, its own songs
        acme searches with every option: 200, its own songs alone

    Source: CWE-862, Missing Authorization
    (https://cwe.mitre.org/data/definitions/862.html).
    """
    if not sight.operation.safe:
        return
    yield Attempt("as it is")
    taken = {name for slot in sight.at("query") for name in slot.path}
    for one in sight.operation.parameters:
        if one.place == "query" and one.name not in taken:
            for value in _values(one, sight):
                extra = Extra("query", one.name, alike(value))
                yield Attempt(f"{one.name}={_short(value, sight)}", extras=(extra,))
    if page := paged(sight.operation, sight.api.document):
        said = "&".join(f"{name}={value}" for name, value in page)
        yield Attempt(said, extras=tuple(Extra("query", n, alike(v)) for n, v in page))


def searches(one: Parameter) -> bool:
    """Whether a parameter takes words that are looked for."""
    return one.place == "query" and snake(one.name) in SEARCHING


def _values(one: Parameter, sight: Sight) -> Sequence[Any]:
    """What may widen a list, for one parameter of it."""
    schema, name = resolve(one.schema, sight.api.document), snake(one.name)
    if choices := schema.get("enum"):
        return tuple(choices[:FEW])
    match schema.get("type"):
        case "boolean":
            return (True, False)
        case "integer" | "number":
            most = schema.get("maximum", MANY) if name in LIMITING else 0
            return (most, 1) if name in PAGING else (most,)
        case _:
            return _texts(name, sight)


def _texts(name: str, sight: Sight) -> tuple[str, ...]:
    if name in SEARCHING:
        return (sight.text, "%", "")
    if name in SORTING:
        return ("id", "-id")
    if name in INCLUDING:
        kinds = sorted(sight.graph.kinds)
        every = ",".join(sorted({*kinds, *(f"{kind}s" for kind in kinds)}))
        return (every, *(words for kind in kinds[:FEW] for words in (kind, f"{kind}s")))
    return EVERY


def _short(value: object, sight: Sight) -> str:
    return "the victim's text" if value == sight.text else str(value)[:LONGEST]
