"""What the context says of a row's tenant, as an SQL expression that a new policy can use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from partywall.survey.policies import reads_context
from partywall.survey.sql import literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from partywall.catalog.facts import Column, Relation
    from partywall.survey.attack import Scene
    from partywall.survey.identity import Who

TENANTS: tuple[Who, Who] = ("A", "B")
INEXACT = frozenset({"citext", "float4", "float8", "bpchar"})
"""Types of which two different values may be equal."""
EDITABLE = "user_metadata"
"""Claims below it are written by the user: they say nothing about the tenant."""


def belongs(scene: Scene, relation: Relation) -> str:
    """A condition that holds for the rows of the context's tenant alone; "" when none is known."""
    ownership = scene.model.owned.get(relation.qualified)
    if ownership is None or not relation.stores_rows:
        return ""
    if ownership.kind == "parent":
        return _through_parent(scene, relation, ownership.parent)
    column = relation.by_name.get(ownership.column)
    if column is None:
        return ""
    said = context(scene, relation, column)
    if said and (column.base in INEXACT or not column.deterministic):
        return f'{column.quoted}::text COLLATE "C" = (SELECT ({said})::text)'
    asked = said if said.startswith("(SELECT ") else f"(SELECT {said})"
    return f"{column.quoted} = {asked}" if said else ""


def context(scene: Scene, relation: Relation, column: Column) -> str:
    """What yields each tenant's own value of *column*, once its context is entered; "" if nothing.

    A function that policies ask goes first, the table's own before those of others: it may know
    more than a setting does. Then the settings that were seen in the sessions of both tenants.
    """
    wanted = _values(scene, relation, column)
    if wanted is None or wanted["A"] == wanted["B"]:
        return ""
    return next((said for said, values in _candidates(scene, relation, column) if values == wanted),
                "")  # fmt: skip


def _values(scene: Scene, relation: Relation, column: Column) -> dict[Who, str] | None:
    """What stands in *column* of each tenant's row."""
    found: dict[Who, str] = {}
    for who in TENANTS:
        row = scene.world.planted.get((relation.qualified, who))
        value = row.values.get(column.quoted) if row else scene.identities[who].tenant
        if not value:
            return None
        found[who] = value
    return found


def _candidates(
    scene: Scene, relation: Relation, column: Column
) -> Iterator[tuple[str, Mapping[Who, str]]]:
    asked = list(_asked(scene, relation, column))
    yield from (one for one in asked if "current_setting" not in one[0])
    cast = "" if column.textual and column.base != "citext" else f"::{column.type}"
    mine, theirs = (dict(scene.identities[who].settings) for who in TENANTS)
    for name in mine.keys() & theirs.keys():
        setting = f"NULLIF(current_setting({literal(name)}, true), '')"
        yield f"{setting}{cast}", {"A": mine[name], "B": theirs[name]}
        claims = dict(_claims(mine[name])), dict(_claims(theirs[name]))
        for path in sorted(claims[0].keys() & claims[1].keys()):
            if EDITABLE not in path:
                inside = literal("{" + ",".join(path) + "}")
                said = f"({setting}::jsonb #>> {inside}){cast}"
                yield said, {"A": claims[0][path], "B": claims[1][path]}
    if column.textual:
        yield "CURRENT_USER::text", {who: scene.identities[who].role for who in TENANTS}
    yield from asked


def _asked(
    scene: Scene, relation: Relation, column: Column
) -> Iterator[tuple[str, Mapping[Who, str]]]:
    """What policies compare columns of the same type with, those of the table itself first."""
    places = sorted(
        scene.model.context_columns.items(),
        key=lambda place: (place[0] != (relation.qualified, column.name), place[0]),
    )
    for (table, name), said in places:
        there = scene.snapshot.by_qualified.get(table)
        other = there.by_name.get(name) if there else None
        if other is not None and other.base == column.base and _sound(scene, said):
            yield said, scene.world.contexts.get((table, other.quoted), {})


def _sound(scene: Scene, said: str) -> bool:
    """Whether what a policy trusts may be trusted again: no fallback, no constant, no user's."""
    frozen = any(
        function.volatility == "immutable" and function.name in said
        and reads_context(scene, function)
        for function in scene.snapshot.functions.values()
        if function.extension is None
    )  # fmt: skip
    return EDITABLE not in said and "COALESCE" not in said.upper() and not frozen


def _claims(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The texts and numbers of a JSON object, each with the path that leads there."""
    if not text.startswith("{"):
        return
    try:
        pending: list[tuple[tuple[str, ...], object]] = [((), json.loads(text))]
    except ValueError:
        return
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict):
            pending += [((*path, str(name)), inner) for name, inner in value.items()]
        elif isinstance(value, str | int) and not any(set(part) & set('{},"\\ ') for part in path):
            yield path, str(value)


def _through_parent(scene: Scene, relation: Relation, parent: str) -> str:
    """That the row above is visible: its own policies say whose it is."""
    above = scene.snapshot.by_qualified.get(parent)
    key = next((k for k in relation.foreign_keys if above and k.target == above.oid), None)
    if above is None or key is None or not all(
        scene.grants(who).columns_for("SELECT", above) for who in TENANTS
    ):  # fmt: skip
        return ""
    if not above.rls and not belongs(scene, above):
        return ""
    tied = " AND ".join(
        f"above.{above.by_name[theirs].quoted} = {relation.quoted}.{relation.by_name[own].quoted}"
        for own, theirs in zip(key.columns, key.target_columns, strict=True)
    )
    return f"EXISTS (SELECT FROM {above.qualified} AS above WHERE {tied})"
