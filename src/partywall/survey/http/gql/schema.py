"""What a GraphQL schema says: kinds of objects, the fields that lead to them, where ids go."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_client_schema,
    get_named_type,
    get_nullable_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
)

from partywall.survey.http.graph import MAKING, REMOVING
from partywall.survey.http.nouns import identifying, noun, singular, snake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphql import GraphQLNamedType

Root: TypeAlias = Literal["query", "mutation"]

IDS = ("id", "uuid", "pk", "_id", "nodeId", "key", "slug")
"""Fields by which an object is known, the best first."""
BARE = frozenset({"id", "ids", "uuid", "uuids", "pk", "pks", "node_id"})
NO_ID = frozenset({"client_mutation_id"})
LISTS = ("nodes", "items", "results", "data", "objects", "records", "rows")
CHANGING = frozenset(
    {"update", "edit", "change", "set", "rename", "patch", "modify", "move", "cancel", "close"}
) | REMOVING  # fmt: skip
DEEPEST_INPUT = 3
ANY = "*"
"""The kind of an id that may be anything's, as in ``node(id:)``."""


@dataclass(frozen=True, slots=True)
class Place:
    """An argument that takes an id, or a field of an input object within one.

    Attributes:
        kind: the name of the type that it is the id of; `ANY` for all.
        listed: it takes a list of them.
    """

    path: tuple[str, ...]
    kind: str
    required: bool
    listed: bool = False

    @property
    def name(self) -> str:
        """How reports call it."""
        return ".".join(self.path) + ("[]" if self.listed else "")


@dataclass(frozen=True)
class Call:
    """A field of the query, of the mutation, or of an object.

    Attributes:
        places: its arguments that take ids.
        gives: the kind that it leads to, by itself, in a list or in a wrapper; "" for none.
        inside: the field of its type, if that is only a wrapper, that holds one.
    """

    root: Root
    name: str
    field: GraphQLField
    places: tuple[Place, ...]
    gives: str
    inside: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """The words of its name."""
        return tuple(snake(self.name).split("_"))

    @property
    def removes(self) -> bool:
        """Whether it takes something away, by its name."""
        return bool(REMOVING & set(self.words))

    @property
    def required(self) -> tuple[Place, ...]:
        """The ids that it can't do without."""
        return tuple(one for one in self.places if one.required)

    def makes(self) -> int:
        """How likely it makes one of what it gives; 0 for not at all."""
        if not self.gives or self.root != "mutation" or self.words[0] in CHANGING:
            return 0
        free = not any(one.kind == self.gives and one.required for one in self.places)
        return 2 * (self.words[0] in MAKING) + free


class Schema:
    """The calls of a schema, sorted; it is built of what an introspection answers.

    Raises (when made):
        TypeError, ValueError, KeyError: it is no such answer.
    """

    def __init__(self, told: Any) -> None:  # noqa: ANN401 - the answer to an introspection
        self.told = told
        self.built = built = build_client_schema(told)
        roots = {one.name for one in (built.query_type, built.mutation_type) if one}
        self.kinds = {
            name: type_
            for name, type_ in built.type_map.items()
            if isinstance(type_, GraphQLObjectType)
            and not name.startswith("__")
            and name not in roots
            and self.id_of(type_)
        }
        self._by_word = {snake(name): name for name in self.kinds}

    @staticmethod
    def id_of(type_: GraphQLObjectType) -> str:
        """The field that holds its id; "" where it has none."""
        for name in IDS:
            if name in type_.fields and is_leaf_type(get_named_type(type_.fields[name].type)):
                return name
        return ""

    @cached_property
    def queries(self) -> tuple[Call, ...]:
        """The fields of the query."""
        return tuple(self.calls("query", self.built.query_type))

    @cached_property
    def mutations(self) -> tuple[Call, ...]:
        """The fields of the mutation, those that remove something last."""
        found = self.calls("mutation", self.built.mutation_type)
        return tuple(sorted(found, key=lambda one: one.removes))

    def calls(self, root: Root, type_: GraphQLObjectType | None) -> Iterator[Call]:
        """All fields of an object type, as calls."""
        for name, field in (type_.fields if type_ else {}).items():
            gives, inside = self._given(get_named_type(field.type))
            if not gives and root == "mutation":
                gives = self._said(name)
            any_ = isinstance(get_named_type(field.type), GraphQLInterfaceType)
            default = ANY if any_ else gives or self._said(name)
            yield Call(
                root, name, field, tuple(self._places(field.args, default, ())), gives, inside
            )

    def makers(self, kind: str) -> list[Call]:
        """The mutations that may make one of *kind*, the likeliest first."""
        found = [one for one in self.mutations if one.gives == kind and one.makes()]
        return sorted(found, key=lambda one: -one.makes())

    def removers(self, kind: str) -> list[Call]:
        """The mutations that remove one of *kind*, by their names."""
        return [
            one
            for one in self.mutations
            if one.removes and [place.kind for place in one.required] == [kind]
        ]

    def by_id(self, kind: str) -> list[Call]:
        """The queries that show one of *kind*, and need its id alone."""
        return [
            one for one in self.queries
            if [place.kind for place in one.required] in ([kind], [ANY]) and _only_ids(one)
        ]  # fmt: skip

    def _given(self, type_: GraphQLNamedType) -> tuple[str, str]:
        """The kind that a type is or wraps, and the wrapper's field that holds it."""
        if type_.name in self.kinds:
            return type_.name, ""
        if not isinstance(type_, GraphQLObjectType):
            return "", ""
        for name, field in type_.fields.items():
            inner = get_named_type(field.type)
            if name == "edges" and isinstance(inner, GraphQLObjectType):
                node = inner.fields.get("node")
                if node is not None and get_named_type(node.type).name in self.kinds:
                    return get_named_type(node.type).name, ""
        for name, field in type_.fields.items():
            inner = get_named_type(field.type)
            if inner.name in self.kinds:
                return inner.name, "" if name in LISTS else name
        return "", ""

    def _said(self, name: str) -> str:
        """The kind that a field's name speaks of; "" for none."""
        words = [singular(word) for word in snake(name).split("_")]
        for begin in range(len(words)):
            for end in range(len(words), begin, -1):
                if found := self._by_word.get("_".join(words[begin:end])):
                    return found
        return ""

    def _places(
        self, arguments: Mapping[str, Any], default: str, above: tuple[str, ...]
    ) -> Iterator[Place]:
        for name, one in arguments.items():
            type_ = get_named_type(one.type)
            needed = is_required_argument(one) if not above else is_required_input_field(one)
            path = (*above, name)
            if is_input_object_type(type_):
                if len(path) <= DEEPEST_INPUT and not is_list_type(get_nullable_type(one.type)):
                    for inner in self._places(type_.fields, default, path):
                        yield Place(inner.path, inner.kind, needed and inner.required, inner.listed)
            elif is_leaf_type(type_) and (kind := self._kind(name, type_.name, default)):
                yield Place(path, kind, needed, is_list_type(get_nullable_type(one.type)))

    def _kind(self, name: str, type_name: str, default: str) -> str:
        """What a value of that name is the id of; "" where it is none."""
        plain = snake(name)
        if plain in NO_ID or not (type_name == "ID" or identifying(name) or plain in BARE):
            return ""
        if plain in BARE:
            return default
        stem = noun(name)
        if stem in self._by_word:
            return self._by_word[stem]
        ending = [word for word in self._by_word if stem.endswith(f"_{word}")]
        if ending:
            return self._by_word[max(ending, key=len)]
        return default if type_name == "ID" else ""


def _only_ids(one: Call) -> bool:
    """Whether ids are all that it needs."""
    named = {place.path[0] for place in one.required}
    return all(name in named or not is_required_argument(a) for name, a in one.field.args.items())
