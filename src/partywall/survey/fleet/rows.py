"""Tenants whose rows stand side by side: each asks every table for what isn't its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from partywall.survey.fleet.door import DENIED, Refused
from partywall.survey.fleet.turn import Reached, Turn
from partywall.survey.sql import literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from partywall.catalog.facts import Column, Relation, Snapshot
    from partywall.model import TenancyModel
    from partywall.survey.attack import Effect
    from partywall.survey.fleet.door import Door
    from partywall.survey.fleet.roster import Lodger
    from partywall.survey.fleet.turn import Place

DEEPEST = 6
INTEGRITY = "23"
READ, CHANGE, REMOVE = "read-rows", "change-row", "delete-row"


@dataclass(frozen=True, slots=True)
class Surface:
    """One table or view, and how to tell rows of a tenant's from others'.

    Attributes:
        own, foreign: conditions on ``x`` with the tenant's id as ``$1``, a text.
        whose: an expression for the tenant of a row, '' where nothing in it says so.
        column: one that may be set to what it is already, "" where nothing can be updated.
    """

    at: str
    own: str
    foreign: str
    whose: str
    column: str = ""
    stores: bool = True

    @property
    def mine(self) -> str:
        """Whether there is a row of one's own."""
        return f"SELECT true FROM {self.at} x WHERE {self.own} LIMIT 1"

    @property
    def theirs(self) -> str:
        """Whose row there is that isn't one's own, "" where nothing in it says whose."""
        return f"SELECT {self.whose} FROM {self.at} x WHERE {self.foreign} LIMIT 1"


def _told_of(statement: str, id_: str) -> str:
    """A statement as it can be replayed."""
    return statement.replace("$1", literal(id_))


def surfaces(
    facts: Snapshot, model: TenancyModel, public: Mapping[str, str]
) -> tuple[list[Surface], dict[str, str]]:
    """All that shows whose a row is; and what doesn't, with the reason.

    *public* are conditions of rows that everybody may read.
    """
    found, left = [], {}
    for relation in facts.relations.values():
        if relation.extension is not None or relation.is_partition:
            continue
        told = _told(facts, model, relation)
        if told is None:
            if relation.qualified in model.owned:
                left[relation.qualified] = "no column of it leads to a tenant's id"
            continue
        own, foreign, whose = told
        if when := public.get(relation.qualified):
            foreign += f" AND ({when}) IS NOT TRUE"
        plain = [c for c in relation.columns if not c.generated and c.identity != "always"]
        column = plain[0].quoted if plain and relation.stores_rows else ""
        found.append(Surface(relation.qualified, own, foreign, whose, column, relation.stores_rows))
    return found, left


def _told(facts: Snapshot, model: TenancyModel, relation: Relation) -> tuple[str, str, str] | None:
    ownership = model.owned.get(relation.qualified)
    if ownership is None:
        if relation.stores_rows:
            return None
        named = [c for c in relation.columns if c.name in model.tenant_columns]
        return _by_column(named[0]) if named else None
    if ownership.kind in {"column", "registry"}:
        column = relation.by_name.get(ownership.column)
        return _by_column(column) if column else None
    chain = _chain(facts, model, relation, "x", DEEPEST)
    if ownership.kind != "parent" or chain is None:
        return None
    own, linked = chain
    return own, f"{linked} AND NOT {own}", "''"


def _by_column(column: Column) -> tuple[str, str, str]:
    id_ = f"$1::{column.type}"
    return f"x.{column.quoted} = {id_}", f"x.{column.quoted} <> {id_}", f"x.{column.quoted}::text"


def _chain(
    facts: Snapshot, model: TenancyModel, relation: Relation, alias: str, deep: int
) -> tuple[str, str] | None:
    """Conditions: a row hangs on a parent that the tenant sees as its own; and on any at all."""
    ownership = model.owned.get(relation.qualified)
    if ownership is None or not deep:
        return None
    if ownership.kind in {"column", "registry"}:
        column = relation.by_name[ownership.column]
        held = f"{alias}.{column.quoted}"
        return f"{held} = $1::{column.type}", f"{held} IS NOT NULL"
    for key in relation.foreign_keys:
        parent = facts.relations.get(key.target or 0)
        if parent is None or parent.qualified != ownership.parent:
            continue
        inner = f"{alias}{deep}"
        above = _chain(facts, model, parent, inner, deep - 1)
        if above is None:
            return None
        mine = [f"{alias}.{relation.by_name[name].quoted}" for name in key.columns]
        theirs = [f"{inner}.{parent.by_name[name].quoted}" for name in key.target_columns]
        joined = " AND ".join(f"{a} = {b}" for a, b in zip(mine, theirs, strict=True))
        own = f"EXISTS (SELECT FROM {parent.qualified} {inner} WHERE {joined} AND {above[0]})"
        return own, " AND ".join(f"{column} IS NOT NULL" for column in mine)
    return None


@dataclass
class Rows:
    """The turns of one worker; what one role may not do at all is asked once.

    Attributes:
        writing: whether to try to change and to remove, too; all is rolled back.
        denied: acting role -> surfaces that it may not read, as far as they were met.
    """

    door: Door
    surfaces: Sequence[Surface]
    writing: bool
    denied: dict[str, set[str]] = field(default_factory=dict)

    def turn(self, one: Lodger) -> Turn:
        """Let *one* look at everything."""
        return self.door.turn(one, self._looked)

    def _looked(self, one: Lodger) -> Turn:
        denied = self.denied.setdefault(self.door.role, set())
        asked = [surface for surface in self.surfaces if surface.at not in denied]
        failed: dict[str, str] = {}
        try:
            seen = self._together(one, asked)
        except Refused:
            seen = {}
            for surface in asked:
                try:
                    seen |= self._together(one, [surface])
                except Refused as refused:
                    if refused.state == DENIED:
                        denied.add(surface.at)
                    else:
                        failed[surface.at] = f"as {one.name}: {refused}"
        own = {(at, "read") for at, (mine, _) in seen.items() if mine}
        closed = {(at, "read") for at in denied}
        reached = [
            Reached(at, READ, "read", whose, _told_of(surface.theirs, one.id), whose or "1 row")
            for surface in asked
            if (at := surface.at) in seen and (whose := seen[at][1]) is not None
        ]
        for surface in asked if self.writing else ():
            if (surface.at, "read") in own and surface.stores:
                reached += self._written(one, surface, own, closed)
        return Turn(one.id, frozenset(own), frozenset(closed), failed, tuple(reached))

    def _together(
        self, one: Lodger, asked: Sequence[Surface]
    ) -> dict[str, tuple[bool, str | None]]:
        """By surface: whether something of one's own is there, and whose else."""
        if not asked:
            return {}
        parts = [f"({surface.mine}), ({surface.theirs})" for surface in asked]
        values = self.door.ask(f"SELECT {', '.join(parts)}", one.id)[0]
        return {
            surface.at: (bool(values[2 * n]), values[2 * n + 1]) for n, surface in enumerate(asked)
        }

    def _written(
        self, one: Lodger, surface: Surface, own: set[Place], closed: set[Place]
    ) -> Iterator[Reached]:
        """What others' rows it can change and remove, after a row of its own; nothing stays."""
        first = f"x.ctid IN (SELECT x.ctid FROM {surface.at} x WHERE {surface.own} LIMIT 1)"
        change = f"SET {surface.column} = x.{surface.column}"
        tries: list[tuple[str, Effect, str]] = [
            (REMOVE, "destroy", f"DELETE FROM {surface.at} x WHERE ")
        ]
        if surface.column:
            tries.append((CHANGE, "write", f"UPDATE {surface.at} x {change} WHERE "))
        for attack, effect, statement in tries:
            done = self._count(statement + first, one.id)
            if done is None:
                continue
            (own if done else closed).add((surface.at, effect))
            touched = self._count(statement + surface.foreign, one.id) if done else None
            if touched:
                told = _told_of(statement + surface.foreign, one.id)
                yield Reached(surface.at, attack, effect, "", told, touched)

    def _count(self, statement: str, id_: str) -> str | None:
        """What a statement reached, in words; "" for nothing, None where nobody can say.

        A row that another one depends on was reached too: no wall kept it, but its constraint.
        """
        try:
            touched = self.door.count(statement, id_)
        except Refused as refused:
            if refused.state == DENIED:
                return ""
            return f"{refused}" if refused.state.startswith(INTEGRITY) else None
        return ("1 row" if touched == 1 else f"{touched} rows") if touched > 0 else ""
