"""Rows that are there already: a tenant's own registration, what a trigger made beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.planting import rows
from partywall.survey.planting.trial import UNIQUE, bound_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Outcome
    from partywall.survey.identity import Who
    from partywall.survey.planting.demands import Demands
    from partywall.survey.planting.ground import Ground
    from partywall.survey.planting.trial import Draft, Trial
    from partywall.survey.world import Row


class Adopter:
    """Takes rows that stand in the target for planted ones."""

    def __init__(self, ground: Ground, demands: Demands) -> None:
        self._ground = ground
        self._demands = demands

    def known(self, table: Relation, who: Who, key: Mapping[str, str]) -> Row | None:
        """The row with *key*, which was there before the survey."""
        found = self._ground.find(table, dict(key))
        return None if found is None else self._real(table, who, found[1])

    def standing(self, trial: Trial, draft: Draft, outcome: Outcome, canary: str) -> Row | None:
        """The row that a unique violation names, when it is this tenant's own.

        Its columns must all be given from outside: what a row was free to choose, it chooses
        again. One that this transaction made (a trigger did) is dressed with the canary.
        """
        table = trial.relation
        if outcome.sqlstate != UNIQUE or outcome.table != table.name:
            return None
        columns = bound_by(table, outcome.constraint)
        if not columns or not set(columns) <= draft.given:
            return None
        index = next(
            (
                i
                for i in table.indexes
                if i.name.rpartition(".")[2].strip('"') == outcome.constraint
            ),
            None,
        )
        if index is None or not all(index.columns):
            return None
        named = dict.fromkeys(columns)
        decider = self._demands.decider(table)
        if decider in draft.values:
            named[decider] = None
        where = {table.by_name[name].quoted: draft.values[name] for name in named}
        found = self._ground.find(table, where)
        if found is None:
            return None
        ours, row = found
        return (
            self._dressed(trial, draft, row, canary) if ours else self._real(table, trial.who, row)
        )

    def _dressed(
        self, trial: Trial, draft: Draft, row: Sequence[str | None], canary: str
    ) -> Row | None:
        """A row that a trigger made for this tenant, once its texts carry the canary."""
        table = trial.relation
        values = rows.cells(table, row)
        key = rows.key_of(table, values)
        texts = {
            table.by_name[name].quoted: value
            for name, value in draft.values.items()
            if name not in draft.given and value and canary in value.lower()
        }
        parts = [texts, *({column: value} for column, value in texts.items())] if key else []
        for part in parts:  # all at once, else those that the server takes one by one
            changed = self._ground.change(table, part, key) if part else None
            values = rows.cells(table, changed) if changed is not None else values
            if changed is not None and part is texts:
                break
        tokens = rows.tokens_of(table, values, canary, draft.values, draft.foreign)
        return rows.row_of(table, trial.who, values, self._written(table, values), tokens)

    def _real(self, table: Relation, who: Who, row: Sequence[str | None]) -> Row:
        values = rows.cells(table, row)
        tokens = rows.real_tokens(table, values)
        return rows.row_of(table, who, values, self._written(table, values), tokens, real=True)

    @staticmethod
    def _written(table: Relation, values: Mapping[str, str | None]) -> tuple[str, ...]:
        return tuple(c.quoted for c in table.columns if not c.generated and c.quoted in values)
