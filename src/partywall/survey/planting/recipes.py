"""How to make the columns of a table: found once, so that all rows of it are made alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from partywall.survey.planting import checks, solving
from partywall.survey.planting.fitting import fits
from partywall.survey.planting.shapes import constant
from partywall.survey.planting.solving import Choice
from partywall.survey.planting.values import PROBES, makers
from partywall.survey.sql import literal

if TYPE_CHECKING:
    from partywall.catalog.facts import Column, Oid, Relation
    from partywall.survey.planting.demands import Demands
    from partywall.survey.planting.ground import Ground
    from partywall.survey.planting.shapes import Maker
    from partywall.survey.planting.trial import Draft, Trial


class Recipes:
    """Knows, for each table, which makers meet its conditions together.

    Attributes:
        unsolved: table -> conditions that nothing was found for.
    """

    def __init__(
        self, ground: Ground, demands: Demands, leaves: Mapping[Oid, tuple[str, ...]]
    ) -> None:
        self._ground = ground
        self._demands = demands
        self._leaves = leaves
        self._known: dict[Oid, list[Choice]] = {}
        self._probed: dict[str, str | None] = {}
        self._sources = {f.name: f.source for f in demands.snapshot.functions.values()}
        self.unsolved: dict[Oid, str] = {}

    def recipe(self, trial: Trial, draft: Draft) -> list[Choice]:
        """Choices that cover every column; for a row that is bound otherwise, its own."""
        oid = trial.relation.oid
        particular = trial.resolve or trial.freed or trial.nulled
        if particular and (oid not in self._known or trial.purpose != "planted"):
            return self._solved(trial, draft)
        if particular or oid not in self._known:
            self._known[oid] = self._solved(trial, draft)
        return self._known[oid]

    def _solved(self, trial: Trial, draft: Draft) -> list[Choice]:
        """How to make every column of the table, so that its conditions hold together."""
        relation = trial.relation
        columns = {c.name: c for c in relation.columns if not c.generated}
        recipe: list[Choice] = []
        done: set[str] = set()
        for names, group in checks.connected(self._conditions(relation), columns):
            pinned = {name: draft.values[name] for name in names if name in draft.values}
            inside = {name: column for name, column in columns.items() if name in names}
            choice = solving.solved(
                inside, pinned, group, trial.seed, self._ground.ask, self._preferred(relation)
            )
            if choice is None:
                self.unsolved[relation.oid] = "; ".join(f"{c.name}: {c.expression}" for c in group)
                continue
            recipe.append(choice)
            done |= names
        for name, column in columns.items():
            if name not in done and (options := self._options(relation, column)):
                recipe.append(Choice((name,), tuple((make,) for make in options)))
        return recipe

    def _conditions(self, relation: Relation) -> list[checks.Check]:
        """What a row must meet, as far as columns decide it that are written and not computed."""
        computed = {c.name for c in relation.columns if c.generated}
        found = checks.of_table(relation, self._leaves.get(relation.oid, ()), self._sources)
        return [check for check in found if not computed & set(check.columns)]

    def _preferred(self, relation: Relation) -> Callable[[str], tuple[str, ...]]:
        return lambda name: self._demands.literals(relation, name)

    def _options(self, relation: Relation, column: Column) -> list[Maker]:
        literals = self._demands.literals(relation, column.name)
        found = [constant(v) for v in literals if fits(column, v)]
        found += makers(column)
        if not found and column.not_null and column.default is None:
            probe = self._probe(column)
            found = [] if probe is None else [constant(probe)]
        return found

    def _probe(self, column: Column) -> str | None:
        """A value of a type that nobody has heard of, as far as the server takes one."""
        if column.type not in self._probed:
            taken = (
                probe
                for probe in PROBES
                if self._ground.ask(f"SELECT CAST({literal(probe)} AS {column.type})").ok
            )
            self._probed[column.type] = next(taken, None)
        return self._probed[column.type]
