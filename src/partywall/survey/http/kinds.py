"""What tenants have, as the paths of an API tell: a parameter, or the segment before it."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from partywall.survey.http.nouns import GENERIC, noun, singular, snake
from partywall.survey.http.operations import PLACEHOLDER, shape
from partywall.survey.http.schemas import fields
from partywall.survey.http.verbs import DOORS, LISTING, MAKING, REMOVING, door, last_word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.http.operations import Api, Operation

DOING = MAKING | REMOVING | LISTING | DOORS
LAST = re.compile(r"[/.:](?=[^/.:]*$)")
"""What stands before the last word of a path: ``/notes/create``, ``/notes.create``."""
CONNECTING = ("by_", "with_")
"""``/notes/by-tag/{id}``: such a segment says how to find, not what."""


@dataclass
class Kind:
    """Something that tenants have.

    Attributes:
        name: in the singular.
        places: paths of its collections, without the parameters' names.
        parameters: names of path parameters that are ids of one.
        makers, listers, readers, removers: operations, the most likely first.
    """

    name: str
    places: set[str] = field(default_factory=set)
    parameters: set[str] = field(default_factory=set)
    makers: list[Operation] = field(default_factory=list)
    listers: list[Operation] = field(default_factory=list)
    readers: list[Operation] = field(default_factory=list)
    removers: list[Operation] = field(default_factory=list)

    @property
    def items(self) -> set[str]:
        """The paths of single ones."""
        return {f"{place.rstrip('/')}/{{}}" for place in self.places}


class Named(NamedTuple):
    """A path parameter that is an id; `place` is the path before it, without names."""

    parameter: str
    place: str
    kind: str


class Paths:
    """What the parameters of each path are the ids of."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._called = {name: one for one in api.operations for name in (one.name, one.at)}
        self._apart: dict[tuple[str, str], str] = {}
        self._apart = self._collections()

    def ids(self, operation: Operation) -> Iterator[Named]:
        """The ids in an operation's path, in order."""
        parts = operation.path.strip("/").split("/")
        for index, part in enumerate(parts):
            for name in PLACEHOLDER.findall(part):
                if not self._constant(operation, name):
                    place = shape("/" + "/".join(parts[:index]))
                    kind = kind_of(name, parts[:index])
                    yield Named(name, place, self._apart.get((kind, place), kind))

    def leads(self, operation: Operation) -> Iterator[tuple[str, str]]:
        """The kinds to which the links of its answer lead, each with the field that is the id."""
        for link in operation.links:
            target = self._called.get(link.target)
            for one in self.ids(target) if target else ():
                if one.parameter == link.parameter:
                    yield one.kind, link.field

    def about(self, operation: Operation) -> str:
        """The kind of the last id in its path; "" for none."""
        return next((one.kind for one in reversed(list(self.ids(operation)))), "")

    def _collections(self) -> dict[tuple[str, str], str]:
        """(kind, place) -> kind, where one name of a parameter stands below several collections.

        ``/notes/{item_id}`` and ``/files/{item_id}`` are two kinds.
        """
        places: defaultdict[str, set[str]] = defaultdict(set)
        for operation in self._api.operations:
            for one in self.ids(operation):
                if noun(one.parameter):
                    places[one.kind].add(one.place)
        filled = {shape(one.path) for one in self._api.operations if one.method == "POST"}
        found: dict[tuple[str, str], str] = {}
        for kind, several in places.items():
            words = {place: place.rpartition("/")[2] for place in several}
            fixed = {place: word for place, word in words.items() if word not in {"", "{}"}}
            if len(set(fixed.values())) > 1:
                found |= {
                    (kind, place): singular(word)
                    for place, word in fixed.items()
                    if place in filled and singular(word) != kind
                }
        return found

    def _constant(self, operation: Operation, name: str) -> bool:
        """Whether a path parameter is a choice or a date, not an id."""
        parameter = operation.parameter("path", name)
        schema = parameter.schema if parameter else {}
        return any(
            leaf.get("enum") or leaf.get("type") == "boolean" or "date" in leaf.get("format", "")
            for _, leaf, _ in fields(schema, self._api.document)
        )


def kind_of(name: str, before: Sequence[str]) -> str:
    """What a path parameter is the id of; *before* are the segments before it."""
    if stem := noun(name):
        return stem
    for part in reversed(before):
        if PLACEHOLDER.search(part):
            continue
        word = snake(part)
        if not word.startswith(CONNECTING) and word not in GENERIC:
            return singular(part)
    return snake(name)


def collected(operation: Operation) -> str:
    """What a POST to a list of things makes, also where no path has an id of one; "" for none."""
    last = operation.path.rstrip("/").rpartition("/")[2]
    if operation.method != "POST" or PLACEHOLDER.search(last) or not operation.payloads:
        return ""
    word = last_word(operation)
    if word in MAKING and len(operation.words) > 1:
        word = snake(operation.words[-2])
    named = singular(word)
    if named == word or {word, named} & DOING or door(operation):
        return ""
    return named


def collection(operation: Operation) -> str:
    """The path of the list that a POST puts something into: ``/notes`` of ``/notes/create``."""
    place = shape(operation.path)
    return LAST.split(place)[0] if last_word(operation) in MAKING else place
