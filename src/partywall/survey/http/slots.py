"""The places in a request where ids go, and of what they are the ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from partywall.survey.http.nouns import GENERIC, identifying, noun, singular, snake
from partywall.survey.http.operations import shape
from partywall.survey.http.schemas import fields, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from partywall.survey.http.kinds import Kind, Paths
    from partywall.survey.http.operations import Api, Operation, Place

ITSELF = frozenset(
    {
        "copy_of", "clone_of", "duplicate_of", "fork_of", "based_on", "derived_from", "source",
        "original", "parent", "replaces", "previous", "related_to", "linked_to", "copy_from",
    }
)  # fmt: skip
"""Fields that name another one of what is made."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a request where an id goes.

    Attributes:
        path: the parameter's name, or the way to a field of the body; ``*`` is an item of a list.
        kind: of what it is the id.
        required: whether the request is wrong without it.
    """

    place: Place
    path: tuple[str, ...]
    kind: str
    required: bool = True

    @property
    def name(self) -> str:
        """How reports call it."""
        return ".".join(self.path).replace(".*", "[]")

    def holding(self, id_: Any) -> Any:  # noqa: ANN401 - an id of any type
        """What stands there for an id: a list of it, where the slot is an item of a list."""
        return [id_] if self.path[-1] == "*" else id_


class Slots:
    """Finds the slots of operations, by the kinds that are known.

    Args:
        owned: what tenants declare as their own, by the parameter's name -> kind.
    """

    def __init__(
        self, api: Api, paths: Paths, kinds: Mapping[str, Kind], owned: Mapping[str, str]
    ) -> None:
        self._api = api
        self._paths = paths
        self._kinds = kinds
        self._owned = owned

    def of(self, operation: Operation) -> Iterator[Slot]:
        """The slots of an operation, in the order of its path, its parameters, its body."""
        for one in self._paths.ids(operation):
            yield Slot("path", (one.parameter,), one.kind)
        for parameter in operation.parameters:
            name, schema = parameter.name, parameter.schema
            kind = self.refers(name, schema, operation)
            if not kind and parameter.required:
                kind = self._by_name(name, operation)
            if parameter.place != "path" and kind:
                listed = resolve(schema, self._api.document).get("type") == "array"
                path = (name, "*") if listed else (name,)
                yield Slot(parameter.place, path, kind, parameter.required)
        in_body = list(self._in_body(operation))
        if operation.method == "POST":
            yield from self._as_listed(operation, {slot.kind for slot in in_body})
        elif operation.method == "DELETE" and not operation.payloads:
            yield from self._bulk(operation)
        yield from in_body

    def refers(
        self,
        name: str,
        schema: Mapping[str, Any],
        operation: Operation | None = None,
        above: Sequence[str] = (),
    ) -> str:
        """The kind that a field refers to by its name; "" for none that is known.

        Args:
            name: the field's or the parameter's.
            schema: its schema.
            operation: whose it is; ``ids`` alone are those of what its path lists.
            above: the field that it stands in.
        """
        plain = resolve(schema, self._api.document)
        if plain.get("type") == "array":
            plain = resolve(plain.get("items", {}), self._api.document)
        stem = noun(name)
        if not _identifies(plain):
            return ""
        if snake(name) in self._owned:
            return self._owned[snake(name)]
        if not identifying(name):
            if plain.get("format") == "uuid":
                words = [singular(word) for word in snake(name).split("_")]
                return next((word for word in words if word in self._kinds), "")
            said = stem == snake(name) and plain.get("type") in {"integer", "string"}
            return stem if said and stem in self._kinds else ""
        if not stem:
            return self._around(operation, above)
        return stem if stem in self._kinds else self._ending(stem)

    def _as_listed(self, operation: Operation, named: set[str]) -> Iterator[Slot]:
        """What the GET of the same path is told in its query, and the body doesn't name.

        Many a POST to a list takes it all the same, though nothing says so.
        """
        named |= {self.refers(one.name, one.schema) for one in operation.parameters}
        for other in self._api.operations:
            if other.method == "GET" and other.path == operation.path:
                for one in other.parameters:
                    kind = self.refers(one.name, one.schema, other)
                    if one.place == "query" and kind and kind not in named:
                        yield Slot("query", (one.name,), kind, required=False)

    def _bulk(self, operation: Operation) -> Iterator[Slot]:
        """Which ones the DELETE of a list takes away, where nothing says how it is told."""
        place = shape(operation.path)
        kinds = (kind.name for kind in self._kinds.values() if place in kind.places)
        if not place.endswith("{}") and (kind := next(kinds, "")):
            yield Slot("body", ("ids", "*"), kind)

    def _by_name(self, name: str, operation: Operation) -> str:
        """The kind of which *name* is the id, where things have names and no ids."""
        if snake(name) not in GENERIC or list(self._paths.ids(operation)):
            return ""
        kind = self._kinds.get(self._around(operation, ()))
        if kind is None or kind.parameters or operation in kind.makers:
            return ""
        chosen = {
            path
            for maker in kind.makers[:1]
            for payload in maker.payloads[:1]
            for path, _, _ in fields(payload.schema, self._api.document)
        }
        return kind.name if (name,) in chosen else ""

    def _in_body(self, operation: Operation) -> Iterator[Slot]:
        made = next((k.name for k in self._kinds.values() if operation in k.makers[:1]), "")
        for payload in operation.payloads[:1]:
            for path, leaf, needed in fields(payload.schema, self._api.document):
                kind = self._referred(path, leaf, operation, made)
                if not kind and needed and len(path) == 1:
                    kind = self._by_name(path[0], operation)
                if kind:
                    yield Slot("body", path, kind, needed)

    def _referred(
        self, path: tuple[str, ...], leaf: Mapping[str, Any], operation: Operation, made: str
    ) -> str:
        """The kind that a field of the body refers to; *made* is what the operation makes."""
        *above, name = [part for part in path if part != "*"] or [""]
        own = made and not above and identifying(name) and not noun(name)
        if not name or own:
            return ""  # a new one's own id is none that it refers to
        kind = self.refers(name, leaf, operation, above[-1:])
        if kind and kind == made and not above and not identifying(name):
            return ""  # the memory of a memory is its text
        return kind or (made if snake(name) in ITSELF else "")

    def _around(self, operation: Operation | None, above: Sequence[str]) -> str:
        """The kind of an ``id`` by the field or the segments of the path that it stands in."""
        words = [*above, *reversed(operation.words if operation else ())]
        return next((word for word in map(singular, words) if word in self._kinds), "")

    def _ending(self, stem: str) -> str:
        """`depends_on_issue` is an issue; the longest name wins."""
        found = [kind for kind in self._kinds if stem.endswith(f"_{kind}")]
        return max(found, key=len, default="")


def _identifies(plain: Mapping[str, Any]) -> bool:
    """Whether a value of that schema can be an id."""
    if plain.get("type") in {"boolean", "object", "number"} or plain.get("enum"):
        return False
    return "contentMediaType" not in plain and plain.get("format") != "binary"
