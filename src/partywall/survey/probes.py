"""Conditions that speak up about the rows they look at, by an error or a notice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.arguments import callable_by
from partywall.survey.parameters import family

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.catalog.facts import Column, Function, Relation
    from partywall.survey.attack import Level, Scene

CHEAP = 20.0
OTHERS = {"number": ("1", "0"), "text": ("'a'", "''"), "boolean": ("true", "false")}
PEEK = (
    "CREATE FUNCTION pg_temp.partywall_peek(anyelement) RETURNS boolean LANGUAGE plpgsql "
    "COST 0.0000001 AS $$ BEGIN RAISE NOTICE '%', $1; RETURN true; END $$"
)


@dataclass(frozen=True, slots=True)
class Probe:
    """Conditions that speak up about some values, and what it takes to use them.

    Attributes:
        column: the column of the relation that it looks at, None for the whole row.
        before: a statement that makes the condition possible.
    """

    conditions: tuple[str, ...]
    fix: str
    column: Column | None = None
    before: str = ""
    level: Level | None = None


def probes(scene: Scene, relation: Relation) -> Iterator[Probe]:
    """Conditions that may be evaluated before the wall's own."""
    columns = scene.grants("A").columns_for("SELECT", relation)
    bare = relation.kind == "view" and relation.options.get("security_barrier") != "true"
    barrier = f"ALTER VIEW {relation.qualified} SET (security_barrier = true)"
    whole = len(columns) == len(relation.columns)
    seen = "seen" if whole else f"seen.{columns[0].quoted}"
    yield Probe((f"pg_temp.partywall_peek({seen})",), barrier, None, PEEK, "sql")
    functions = [
        f
        for f in scene.snapshot.functions.values()
        if (f.leakproof or (bare and f.cost < CHEAP)) and callable_by(scene, "A", f)
    ]
    for column in columns:
        yield from _built_in(scene, column, barrier) if bare else ()
        for function in functions:
            fix = f"ALTER FUNCTION {function.signature} NOT LEAKPROOF"
            if conditions := tuple(_applied(function, column)):
                yield Probe(conditions, fix if function.leakproof else barrier, column)


def _built_in(scene: Scene, column: Column, fix: str) -> Iterator[Probe]:
    """A cast that quotes what it can't read, and a division."""
    if family(column.type) == "number":
        yield Probe((f"1 / seen.{column.quoted} IS NULL",), fix, column)
        return
    speak = f"seen.{column.quoted}::text::regclass IS NULL"
    if scene.place == "target":  # there A's own rows stand in the way
        canary = sql.literal(scene.world.canaries["B"])
        speak = f"CASE WHEN seen.{column.quoted}::text ^@ {canary} THEN {speak} END"
    yield Probe((speak,), fix, column)


def _applied(function: Function, column: Column) -> Iterator[str]:
    """The function applied to the column, with constants for its other parameters."""
    kinds = [family(kind) for _, kind in function.arguments]
    if function.kind != "function" or function.returns_set:
        return
    test = "" if function.returns == "boolean" else " IS NULL"
    for place, kind in enumerate(kinds):
        if kind != family(column.type):
            continue
        for choice in range(2 if len(kinds) > 1 else 1):
            given = [
                f"seen.{column.quoted}"
                if number == place
                else OTHERS.get(other, ("NULL", "NULL"))[choice]
                for number, other in enumerate(kinds)
            ]
            typed = zip(given, function.arguments, strict=True)
            listed = ", ".join(f"{value}::{name}" for value, (_, name) in typed)
            yield f"{function.qualified}({listed}){test}"
