"""Which operations make, list, show and remove what is of a kind, the most likely first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.nouns import singular, snake
from partywall.survey.http.operations import PLACEHOLDER, shape
from partywall.survey.http.verbs import LISTING, MAKING, REMOVING, door, last_word

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from partywall.survey.http.kinds import Kind, Paths
    from partywall.survey.http.operations import Operation


def rank(kind: Kind, operations: Sequence[Operation], paths: Paths) -> None:
    """Fill in the operations of a kind."""
    kind.makers = _likeliest(operations, lambda one: makes(one, kind, paths))
    kind.listers = _likeliest(operations, lambda one: lists(one, kind))
    items = kind.items
    readers = [one for one in operations if one.method == "GET" and shape(one.path) in items]
    kind.readers = _shortest(readers) or [
        one for one in operations if one.method == "GET" and paths.about(one) == kind.name
    ]
    kind.removers = _shortest([one for one in operations if removes(one, kind, paths)])


def makes(operation: Operation, kind: Kind, paths: Paths) -> int:
    """How likely an operation makes one of *kind*; 0 for not at all."""
    if operation.method not in {"POST", "PUT"} or door(operation):
        return 0
    path, last = shape(operation.path), last_word(operation)
    inside = any(one.kind == kind.name for one in paths.ids(operation))
    if operation.method == "PUT":
        return 30 if inside and path in kind.items else 0  # the client chooses the id
    if inside:
        return 0
    own = singular(last) == kind.name
    ranks = (
        (kind.name in {led for led, _ in paths.leads(operation)}, 130),
        (path in kind.places, 120 if own else 100),
        (last in MAKING and _near(path, kind), 90),
        (own, 80),
        (_says(operation, kind), 60),
    )
    return next((likely for true, likely in ranks if true), 0)


def lists(operation: Operation, kind: Kind) -> int:
    """How likely an operation lists those of *kind*; 0 for not at all."""
    if operation.method != "GET":
        return 0
    path, last = shape(operation.path), last_word(operation)
    ranks = (
        (path in kind.places, 100),
        (last in LISTING and _near(path, kind), 80),
        (singular(last) == kind.name and not path.endswith("{}"), 60),
    )
    return next((likely for true, likely in ranks if true), 0)


def removes(operation: Operation, kind: Kind, paths: Paths) -> bool:
    """Whether an operation removes one of *kind*: a DELETE of it, or a POST below that says so."""
    if operation.method == "DELETE":
        return shape(operation.path) in kind.items
    ends = PLACEHOLDER.search(operation.path.rstrip("/").rpartition("/")[2]) is None
    said = operation.method == "POST" and ends and last_word(operation) in REMOVING
    return said and paths.about(operation) == kind.name


def _likeliest(
    operations: Sequence[Operation], likely: Callable[[Operation], int]
) -> list[Operation]:
    ranked = [(likely(one), one) for one in operations]
    ranked.sort(key=lambda each: -each[0])
    return [one for rank, one in ranked if rank]


def _shortest(operations: list[Operation]) -> list[Operation]:
    return sorted(operations, key=lambda one: len(one.names))


def _near(path: str, kind: Kind) -> bool:
    """Whether *path* is one segment below a place of *kind*, or beside its last one."""
    above = path.rpartition("/")[0]
    return bool(above) and any(above in {p, p.rpartition("/")[0]} for p in kind.places)


def _says(operation: Operation, kind: Kind) -> bool:
    """Whether its name or summary says that it makes one."""
    name = snake(operation.name).removesuffix(f"_{operation.method.lower()}")  # FastAPI's names
    words = set(f"{name} {snake(operation.summary)}".replace("_", " ").split())
    told = MAKING & words and not REMOVING & words
    return bool(told) and kind.name in {singular(word) for word in words}
