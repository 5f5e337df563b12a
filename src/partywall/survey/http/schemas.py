"""JSON Schemas as a description has them, made plain: references followed, alternatives chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.survey.http.following import referred

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from partywall.survey.http.operations import Schema

DEEPEST = 8
"""Schemas that contain themselves end there."""


def resolve(schema: Schema, document: Mapping[str, Any]) -> dict[str, Any]:
    """One level of *schema* without references: ``allOf`` joined, the first useful alternative.

    A nullable schema is taken as what it is when it isn't null. What can't be found is {}.
    """
    seen = 0
    merged: dict[str, Any] = dict(schema) if isinstance(schema, dict) else {}
    while "$ref" in merged and seen < DEEPEST:
        rest = {k: v for k, v in merged.items() if k != "$ref"}
        meant = referred(document, str(merged["$ref"]))
        merged = {**(meant if isinstance(meant, dict) else {}), **rest}
        seen += 1
    for part in merged.pop("allOf", ()):
        merged = joined(resolve(part, document), merged)
    for choice in ("anyOf", "oneOf"):
        options = [resolve(each, document) for each in merged.pop(choice, ())]
        if useful := [each for each in options if each.get("type") != "null"]:
            merged = joined(useful[0], merged)
            merged.setdefault("x-nullable", len(useful) < len(options))
    kind = merged.get("type")
    if isinstance(kind, list):
        merged["type"] = next((each for each in kind if each != "null"), "null")
    if "type" not in merged and "properties" in merged:
        merged["type"] = "object"
    if "const" in merged:
        merged.setdefault("enum", [merged["const"]])
    return merged


def joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both schemas at once; *other* wins where they differ."""
    properties = {**one.get("properties", {}), **other.get("properties", {})}
    required = list(dict.fromkeys([*one.get("required", ()), *other.get("required", ())]))
    both = {**one, **other}
    if properties:
        both["properties"] = properties
    if required:
        both["required"] = required
    return both


def fields(
    schema: Schema, document: Mapping[str, Any], path: tuple[str, ...] = (), depth: int = 0
) -> Iterator[tuple[tuple[str, ...], dict[str, Any], bool]]:
    """Every leaf of *schema*: its path (``*`` for an item of a list), schema, and whether required.

    A field is required when all above it are.
    """
    plain = resolve(schema, document)
    if depth > DEEPEST:
        return
    if plain.get("type") == "object" and plain.get("properties"):
        required = plain.get("required", ())
        for name, inner in plain["properties"].items():
            for where, leaf, needed in fields(inner, document, (*path, name), depth + 1):
                yield where, leaf, needed and name in required
    elif plain.get("type") == "array" and plain.get("items"):
        for where, leaf, _ in fields(plain["items"], document, (*path, "*"), depth + 1):
            yield where, leaf, True
    else:
        yield path, plain, True
