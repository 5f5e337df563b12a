"""A second row for each that stands: tried, undone, and held ready for the attacks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from partywall.survey.planting.ground import inserting
from partywall.survey.planting.trial import UNIQUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.catalog.facts import Oid, Relation
    from partywall.survey.identity import Who
    from partywall.survey.planting.attempts import Attempts
    from partywall.survey.planting.demands import Demands
    from partywall.survey.planting.ground import Ground
    from partywall.survey.world import Row

CHUNK = 50
"""Rows tried in one go, before all of them are undone."""


class Reserve:
    """Holds spare rows: (qualified table, tenant) -> row."""

    def __init__(
        self, ground: Ground, demands: Demands, attempts: Attempts, extended: set[Oid]
    ) -> None:
        self._extended = extended
        self._ground = ground
        self._demands = demands
        self._attempts = attempts
        self.rows: dict[tuple[str, Who], Row] = {}

    def fill(self, wanted: Sequence[tuple[Relation, Who]]) -> None:
        """Find a spare row for each of *wanted*: at once where that goes, else with repairs."""
        harder = []
        for start in range(0, len(wanted), CHUNK):
            with self._ground.undone():
                for table, who in wanted[start : start + CHUNK]:
                    if not self._at_once(table, who):
                        harder.append((table, who))
        for table, who in harder:
            self._with_repairs(table, who)
            self._ground.settle()
        for table, who in wanted:
            row = self.rows.get((table.qualified, who))
            if row is not None and table.oid in self._extended and self._taken(row):
                self._with_repairs(table, who)

    def _taken(self, row: Row) -> bool:
        """Whether a further row, planted since for others to point at, took the place of *row*."""
        with self._ground.undone():
            return self._ground.admin(row.insert()).sqlstate == UNIQUE

    def _at_once(self, table: Relation, who: Who) -> bool:
        """Try the row once, as the administrator, among others; whether it was taken as it is."""
        tried = self._attempts.once(table, who)
        if tried is None:
            return False
        row, draft, outcome = tried
        if row.insert() != inserting(table, draft.values):
            return False
        self._hold(table, row, int(outcome.rows[0][0] or 0))
        return True

    def _with_repairs(self, table: Relation, who: Who) -> None:
        """Try the row like a planted one, with other parents where it needs them."""
        result = self._attempts.make(table, who, "spare", {})
        if isinstance(result, str):
            return
        row, draft = result
        as_read, as_tried = row.insert(), inserting(table, draft.values)
        if as_read != as_tried and not self._ground.tries(as_read):
            drafted = {table.by_name[name].quoted: v for name, v in draft.values.items()}
            row = replace(row, values={**row.values, **drafted})
        self._hold(table, row, table.oid)

    def _hold(self, table: Relation, row: Row, landed: Oid) -> None:
        self.rows[table.qualified, row.tenant] = row
        for leaf in self._demands.partitions(table, landed):
            self.rows[leaf.qualified, row.tenant] = replace(row, table=leaf.qualified)
