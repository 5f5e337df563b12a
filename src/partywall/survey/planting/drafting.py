"""Draw up a row before it is tried: what it must hold, whom it points at, and the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.planting import hints, solving
from partywall.survey.planting.fitting import fits
from partywall.survey.planting.shapes import Constant
from partywall.survey.planting.solving import Kept
from partywall.survey.planting.trial import Draft

if TYPE_CHECKING:
    from partywall.catalog.facts import Column, Constraint, Relation
    from partywall.survey.planting.demands import Demands
    from partywall.survey.planting.parents import Parents
    from partywall.survey.planting.recipes import Recipes
    from partywall.survey.planting.standing import Standing
    from partywall.survey.planting.trial import Trial


class Drafter:
    """Draws up rows from *demands*, from their *parents*, and by the *recipes* of the tables."""

    def __init__(
        self, demands: Demands, standing: Standing, parents: Parents, recipes: Recipes
    ) -> None:
        self._demands = demands
        self._standing = standing
        self._parents = parents
        self._recipes = recipes
        owned = demands.model.owned.items()
        self._registries = [table for table, owner in owned if owner.kind == "registry"]
        self._by_name = {(t.schema, t.name): t for t in demands.snapshot.tables}

    def draft(self, trial: Trial, *, frozen: bool = False) -> Draft | str:
        """Draw up the row that *trial* asks for, or say why there can't be one.

        With *frozen*, no other row may be planted for its sake.
        """
        draft = Draft(dict(trial.pins), set(trial.pins))
        self._demand(trial, draft)
        relation = trial.relation
        selves = []
        for key in sorted(relation.foreign_keys, key=lambda k: self._parents.precedence(trial, k)):
            if key.target == relation.oid:
                selves.append(key)
            elif reason := self._parents.follow(trial, draft, key, frozen=frozen):
                return reason
        for key in selves:
            self._follow_self(trial, draft, key)
        self._follow_names(trial, draft)
        self._make(trial, draft)
        for key in selves:
            for name, target in zip(key.columns, key.target_columns, strict=True):
                draft.values.setdefault(name, draft.values.get(target))
        return draft

    def _demand(self, trial: Trial, draft: Draft) -> None:
        relation, who = trial.relation, trial.who
        decider = self._demands.decider(relation)
        own_key = {*relation.primary_key} if len(relation.primary_key) == 1 else set()
        for column in relation.columns:
            name = column.name
            if column.generated or name in draft.values or name in trial.freed:
                continue
            second = trial.purpose != "planted" and name in own_key
            if name in trial.nulled:
                draft.values[name] = None
            elif name == decider:
                value = None if self.another(trial) else self._deciding(trial, column)
                if value is not None:
                    draft.values[name] = value
                    draft.foreign.add(name)
            elif not (second and not _bound(relation, name)):
                value = self._demands.value(relation, column, who)
                if value is not None:
                    draft.values[name] = value
        draft.given |= set(draft.values)

    def another(self, trial: Trial) -> bool:
        """Whether the row is of another user or tenant than the one who acts: there is but one."""
        decider = self._demands.decider(trial.relation)
        ownership = self._demands.ownership(trial.relation)
        if ownership is None or trial.relation.primary_key != (decider,):
            return False
        return (trial.purpose == "extra" and ownership.kind in {"registry", "user"}) or (
            trial.purpose == "spare" and ownership.kind == "registry"
        )

    def _deciding(self, trial: Trial, column: Column) -> str | None:
        """The tenant as this column holds it: declared, from the context, or the registry's key."""
        relation, who = trial.relation, trial.who
        options = list(self._demands.deciding(relation, who))
        for table in self._registries:
            row = self._standing.planted.get((table, who))
            options += [value for value in row.key.values() if fits(column, value)] if row else []
        options = list(dict.fromkeys(options))
        return options[trial.deciding] if trial.deciding < len(options) else None

    def _follow_self(self, trial: Trial, draft: Draft, key: Constraint) -> None:
        """Point at the tenant's planted row of the same table, at nothing, or at itself."""
        row = self._standing.planted.get((trial.relation.qualified, trial.who))
        for name, target in zip(key.columns, key.target_columns, strict=True):
            if name in draft.values:
                continue
            column = trial.relation.by_name[name]
            if row is not None and name not in trial.nulled:
                draft.values[name] = row.values.get(trial.relation.by_name[target].quoted)
                draft.given.add(name)
            elif not column.not_null:
                draft.values[name] = None
                draft.given.add(name)
            # else: itself, once its own key is made

    def _follow_names(self, trial: Trial, draft: Draft) -> None:
        """Point ``order_id`` at the planted row of `orders` also where no foreign key says so."""
        for column in trial.relation.columns:
            name = column.name
            free = name not in draft.values and name not in trial.freed and not column.generated
            if not free or name in trial.relation.primary_key:
                continue
            for called in hints.points_at(name):
                table = self._by_name.get((trial.relation.schema, called))
                row = table and self._standing.planted.get((table.qualified, trial.who))
                value = row and table and row.key.get(_lone_key(table))
                if value and fits(column, value):
                    draft.values[name] = value
                    draft.given.add(name)
                    break

    def _make(self, trial: Trial, draft: Draft) -> None:
        """Give every other column a value of its own."""
        relation = trial.relation
        selves = {
            name for key in relation.foreign_keys if key.target == relation.oid
            for name in key.columns if name not in draft.values
        } - set(relation.primary_key)  # fmt: skip
        unique = {name for i in relation.indexes if i.unique for name in i.columns}
        for choice in self._recipes.recipe(trial, draft):
            turn = max(trial.turns.get(name, 0) for name in choice.columns)
            first = relation.by_name[choice.columns[0]]
            small = trial.small and first.base in solving.NUMBERS and first.name not in unique
            if small and len(choice.columns) == 1:
                turn = max(turn, 1)
            made = choice.options[turn % len(choice.options)]
            for name, make in zip(choice.columns, made, strict=True):
                column = relation.by_name[name]
                if isinstance(make, Kept) or name in selves:
                    continue
                if name in draft.given:
                    if make(trial.seed) is None and name not in trial.pins:
                        draft.values[name] = None
                elif self._asked_null(relation, column) and not trial.turns.get(name):
                    draft.values[name] = None
                elif not _left_out(relation, column, trial.lean):
                    draft.values[name] = make(trial.seed)
                    if isinstance(make, Constant):
                        draft.constant.add(name)

    def _asked_null(self, relation: Relation, column: Column) -> bool:
        """Whether views, policies or functions look for rows that hold nothing there."""
        asked = (relation.qualified, column.name) in self._demands.model.null_columns
        return asked and not column.not_null


def _lone_key(relation: Relation) -> str:
    """The one quoted column of a primary key, "" when it has more."""
    key = relation.primary_key
    return relation.by_name[key[0]].quoted if len(key) == 1 else ""


def _bound(relation: Relation, name: str) -> bool:
    return any(name in key.columns for key in relation.foreign_keys)


def _left_out(relation: Relation, column: Column, lean: int) -> bool:
    """Whether a lean row leaves *column* to its default, or NULL."""
    if column.name in relation.primary_key:
        return False
    return (lean >= 1 and column.default is not None) or (lean > 1 and not column.not_null)
