"""GraphQL documents: what is selected, and the values of arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from graphql import (
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_object_type,
    is_required_argument,
    is_required_input_field,
)

from partywall.survey.http.nouns import snake
from partywall.survey.http.values import chosen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphql import GraphQLInputType, GraphQLNamedType, GraphQLObjectType

    from partywall.survey.http.gql.schema import Call, Schema
    from partywall.survey.http.values import Values

Ids: TypeAlias = "dict[tuple[str, ...], Any]"
"""The ids of a call, by the way to each among its arguments."""
MOST_FIELDS = 150
DEEPEST, DEEPEST_INPUT = 7, 4
FIRST = 50
"""So many of a list are asked for, where it wants to be told."""
LARGEST = 2**31 - 1
SCALARS: Mapping[str, Mapping[str, Any]] = {
    "Int": {"type": "integer", "maximum": LARGEST},
    "Float": {"type": "number"},
    "Boolean": {"type": "boolean"},
    "DateTime": {"type": "string", "format": "date-time"},
    "DateTimeISO": {"type": "string", "format": "date-time"},
    "Timestamp": {"type": "string", "format": "date-time"},
    "Date": {"type": "string", "format": "date"},
    "Time": {"type": "string", "format": "time"},
    "UUID": {"type": "string", "format": "uuid"},
    "URL": {"type": "string", "format": "uri"},
    "URI": {"type": "string", "format": "uri"},
    "Email": {"type": "string", "format": "email"},
    "EmailAddress": {"type": "string", "format": "email"},
    "BigInt": {"type": "integer"},
    "Decimal": {"type": "number"},
    "JSON": {"type": "object"},
    "JSONObject": {"type": "object"},
    "JSONString": {"type": "string", "pattern": "^{}$"},
}
"""Scalars by name, as JSON has them; any other is a text."""


@dataclass(frozen=True)
class Part:
    """A call under a name of its own, with its arguments.

    Attributes:
        within: the call that is made on what this one leads to.
        kind: the only type to show, of several that it may lead to.
    """

    call: Call
    values: Mapping[str, Any]
    within: Part | None = None
    kind: str = ""
    alias: str = "it"

    @property
    def name(self) -> str:
        """How reports call it."""
        return f"{self.call.name}.{self.within.name}" if self.within else self.call.name

    @property
    def way(self) -> tuple[str, ...]:
        """The aliases under which its answer stands."""
        return (self.alias, *(self.within.way if self.within else ()))


def document(schema: Schema, parts: Sequence[Part], depth: int) -> tuple[str, dict[str, Any]]:
    """One request with all *parts*, and its variables; objects are shown *depth* levels deep."""
    variables: dict[str, Any] = {}
    declared: list[str] = []
    said = [_said(schema, part, depth, variables, declared) for part in parts]
    head = f"({', '.join(declared)})" if declared else ""
    return f"{parts[0].call.root}{head} {{ {' '.join(said)} }}", variables


def _said(
    schema: Schema, part: Part, depth: int, variables: dict[str, Any], declared: list[str]
) -> str:
    given = []
    for name, value in part.values.items():
        variable = f"v{len(declared)}"
        declared.append(f"${variable}: {part.call.field.args[name].type}")
        variables[variable] = value
        given.append(f"{name}: ${variable}")
    arguments = f"({', '.join(given)})" if given else ""
    type_ = get_named_type(part.call.field.type)
    if part.within is not None:
        inner = f" {{ {_said(schema, part.within, depth, variables, declared)} }}"
    else:
        inner = selection(schema, type_, depth, part.kind)
    return f"{part.alias}: {part.call.name}{arguments}{inner}"


def selection(schema: Schema, type_: GraphQLNamedType, depth: int, kind: str = "") -> str:
    """All of a type that needs no argument, *depth* kinds deep; "" for what has no fields."""
    if is_abstract_type(type_) and kind:
        inner = selection(schema, schema.built.type_map[kind], depth)
        return f" {{ __typename ... on {kind}{inner} }}"
    depth += type_.name not in schema.kinds  # a wrapper shows nothing by itself
    return _selected(schema, type_, depth, DEEPEST, [MOST_FIELDS])


def _selected(
    schema: Schema, type_: GraphQLNamedType, depth: int, levels: int, left: list[int]
) -> str:
    if is_object_type(type_):
        return f" {{ {' '.join(_fields(schema, type_, depth, levels, left))} }}"
    if not is_abstract_type(type_):
        return ""
    found = ["__typename"]
    for one in schema.built.get_possible_types(type_):
        inner = _fields(schema, one, depth, levels, left, f"{one.name}_")
        found.append(f"... on {one.name} {{ {' '.join(inner)} }}")
    return f" {{ {' '.join(found)} }}"


def _fields(
    schema: Schema,
    type_: GraphQLObjectType,
    depth: int,
    levels: int,
    left: list[int],
    prefix: str = "",
) -> list[str]:
    """The fields of an object; *prefix* tells alike fields of several types apart."""
    found, nested = [], []
    for name, field in type_.fields.items():
        if any(is_required_argument(one) for one in field.args.values()) or left[0] <= 0:
            continue
        inner = get_named_type(field.type)
        shown = f"{prefix}{name}: {name}" if prefix else name
        if is_leaf_type(inner):
            left[0] -= 1
            found.append(shown)
        elif levels > 0:
            nested.append((shown, field, inner))
    for shown, field, inner in nested:
        costs = inner.name in schema.kinds or is_abstract_type(inner)
        if depth - costs < 0 or left[0] <= 0 or not (costs or is_object_type(inner)):
            continue
        first = f"(first: {FIRST})" if _counted(field.args) else ""
        told = _selected(schema, inner, depth - costs, levels - 1, left)
        if told.strip(" {}"):
            found.append(f"{shown}{first}{told}")
    return found or ["__typename"]


def _counted(arguments: Mapping[str, Any]) -> bool:
    first = arguments.get("first")
    return first is not None and get_named_type(first.type).name == "Int"


def arguments(call: Call, values: Values, ids: Ids, *, full: bool) -> dict[str, Any]:
    """Values for a call's arguments: *ids* in their places, what is needed, with *full* all texts.

    Raises:
        KeyError: an id that is needed isn't among *ids*.
    """
    one = _Filling(values, ids, {place.path for place in call.places}, full=full)
    found = one.members(call.field.args, ())
    if call.root == "query" and _counted(call.field.args):
        found["first"] = FIRST
    return found


@dataclass
class _Filling:
    """The arguments of one call, as they are made."""

    values: Values
    ids: Ids
    places: set[tuple[str, ...]]
    full: bool

    def members(self, told: Mapping[str, Any], above: tuple[str, ...]) -> dict[str, Any]:
        """Arguments, or the fields of an input object."""
        found = {}
        for name, one in told.items():
            path = (*above, name)
            needed = is_required_input_field(one) if above else is_required_argument(one)
            if needed or self._worth(one.type, path):
                found[name] = self._value(name, one.type, path)
        return found

    def _worth(self, type_: GraphQLInputType, path: tuple[str, ...]) -> bool:
        """Whether to send what isn't needed: an id that is given, and texts."""
        if any(one[: len(path)] == path for one in self.ids):
            return True
        named, listed = get_named_type(type_), is_list_type(get_nullable_type(type_))
        text = named.name == "String" or is_input_object_type(named)
        return self.full and path not in self.places and text and not listed

    def _value(self, name: str, type_: GraphQLInputType, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - any JSON
        if path in self.places:
            return self.ids[path]
        plain, named = get_nullable_type(type_), get_named_type(type_)
        if is_list_type(plain):
            return [self._leaf(name, named)] if self.full and is_leaf_type(named) else []
        if is_input_object_type(plain):
            return self.members(plain.fields, path) if len(path) <= DEEPEST_INPUT else {}
        return self._leaf(name, named)

    def _leaf(self, name: str, named: GraphQLNamedType) -> Any:  # noqa: ANN401 - any JSON
        if is_enum_type(named):
            return chosen(snake(name), {"enum": list(named.values)})
        return self.values.value(name, SCALARS.get(named.name, {"type": "string"}))
