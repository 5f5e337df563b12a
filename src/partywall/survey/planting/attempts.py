"""One row at a time: draw it up, try it, hear the server, mend, try again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.planting import rows
from partywall.survey.planting.claims import spoken
from partywall.survey.planting.drafting import Drafter
from partywall.survey.planting.existing import Adopter
from partywall.survey.planting.parents import Parents
from partywall.survey.planting.recipes import Recipes
from partywall.survey.planting.repairing import repair
from partywall.survey.planting.seed import fresh_canary, fresh_seed
from partywall.survey.planting.standing import alike
from partywall.survey.planting.trial import GIVE_UP, Draft, Trial, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.catalog.facts import Oid, Relation
    from partywall.survey.attack import Outcome
    from partywall.survey.identity import Who
    from partywall.survey.planting.demands import Demands
    from partywall.survey.planting.ground import Ground
    from partywall.survey.planting.standing import Standing
    from partywall.survey.planting.trial import Purpose
    from partywall.survey.world import Row

ROUNDS, DEEPEST, FURTHER = 16, 6, 10
"""How often a row is tried, how many parents deep, and how far apart further rows are counted."""


class Attempts:
    """Makes rows of one database."""

    def __init__(
        self, ground: Ground, demands: Demands, standing: Standing,
        canaries: Mapping[Who, str], leaves: Mapping[Oid, tuple[str, ...]],
    ) -> None:  # fmt: skip
        self._ground = ground
        self._demands = demands
        self._standing = standing
        self._canaries = canaries
        self._neutral = fresh_canary("s")
        self._rungs: dict[Oid, int] = {}
        self._further = 0
        self._recipes = Recipes(ground, demands, leaves)
        parents = Parents(ground, demands, standing, self._extra)
        self._drafter = Drafter(demands, standing, parents, self._recipes)
        self._adopter = Adopter(ground, demands)
        self._open = {who: spoken(demands.identities, who) for who in demands.claims}

    def known(self, table: Relation, who: Who, key: Mapping[str, str]) -> Row | None:
        """The row with *key*, which was there before the survey."""
        return self._adopter.known(table, who, key)

    def make(
        self, table: Relation, who: Who, purpose: Purpose, pins: Mapping[str, str | None]
    ) -> tuple[Row, Draft] | str:
        """Try to make a row until the server takes it, or nothing is left to change."""
        if len(self._standing.busy) > DEEPEST:
            return "its parents form too long a chain of rows that are missing"
        trial = self.trial(table, who, purpose, pins)
        self._standing.busy.append(table.oid)
        try:
            return self._tried(trial)
        finally:
            self._standing.busy.pop()

    def _tried(self, trial: Trial) -> tuple[Row, Draft] | str:
        why = ""
        for _ in range(ROUNDS):
            draft = self._drafter.draft(trial)
            if isinstance(draft, str):
                return draft
            outcome = self._ground.put(
                trial.relation, trial.who, draft.values, trial.manner, draft.deferred,
                keep=trial.purpose != "spare",
            )  # fmt: skip
            row = self.row(trial, draft, outcome)
            if row is None and trial.purpose == "planted":
                row = self._adopter.standing(trial, draft, outcome, self._canaries[trial.who])
            if row is not None and trial.purpose == "spare" and trial.manner == "replica":
                return "only with its triggers and rules off would the server take it"
            if row is not None:
                self._rungs[trial.relation.oid] = trial.rung
                return row, draft
            if not why or (not outcome.ok and trial.manner != "tenant"):
                why = self._why(trial.relation, outcome)
            if outcome.sqlstate in GIVE_UP or not self._mend(trial, draft, outcome):
                break
        return why

    def once(self, table: Relation, who: Who) -> tuple[Row, Draft, Outcome] | None:
        """Try a spare row as the administrator, once, with no other row planted for its sake."""
        trial = self.trial(table, who, "spare", {})
        draft = self._drafter.draft(trial, frozen=True)
        if isinstance(draft, str) or trial.manner != "plain":
            return None
        outcome = self._ground.put(table, who, draft.values, "plain")
        row = self.row(trial, draft, outcome)
        if row is None and outcome.ok:
            self._ground.take_back()
        return None if row is None else (row, draft, outcome)

    def trial(
        self, table: Relation, who: Who, purpose: Purpose, pins: Mapping[str, str | None]
    ) -> Trial:
        """The first attempt at a row, in the manner that served this table before."""
        number = 0
        if purpose == "extra":
            self._further += FURTHER
            number = self._further
        seed = fresh_seed(self._canary(table, who))
        rung = self._rungs.get(table.oid, 0)
        return Trial(table, who, purpose, seed, dict(pins), rung=rung, number=number)

    def row(self, trial: Trial, draft: Draft, outcome: Outcome) -> Row | None:
        """The row that was put, None when it failed, vanished or went to another tenant."""
        if not outcome.ok or len(outcome.rows) != 1:
            return None
        table = trial.relation
        values = rows.cells(table, outcome.rows[0])
        decider = self._demands.decider(table)
        meant = draft.values.get(decider)
        if meant is not None and not alike(values[table.by_name[decider].quoted], meant):
            return None
        return self.build(table, trial.who, values, draft)

    def build(
        self, table: Relation, who: Who, values: Mapping[str, str | None], draft: Draft
    ) -> Row:
        """The `Row` of what was drafted and what the server made of it."""
        made = {n: v for n, v in draft.values.items() if n not in draft.given}
        canary = self._canary(table, who)
        tokens = set(rows.tokens_of(table, values, canary, made, draft.foreign))
        decider = table.by_name.get(self._demands.decider(table))
        if decider is not None:
            value = values.get(decider.quoted)
            if value and rows.distinctive(value):
                tokens.add(value)
        written = [table.by_name[name].quoted for name in draft.values]
        return rows.row_of(table, who, values, written, tokens - self._open[who])

    def _canary(self, table: Relation, who: Who) -> str:
        owned = self._demands.ownership(table) is not None
        return self._canaries[who] if owned else self._neutral

    def _extra(self, table: Relation, who: Who, pins: dict[str, str | None]) -> Row | str:
        """Plant a further row for others to point at: of *who*, or shared."""
        result = self.make(table, who, "extra", pins)
        self._standing.extended.add(table.oid)
        return result if isinstance(result, str) else result[0]

    def _mend(self, trial: Trial, draft: Draft, outcome: Outcome) -> bool:
        if outcome.ok:  # a trigger kept the row out, or gave it to somebody else
            if trial.purpose != "spare":
                self._ground.take_back()
            return trial.climb()
        decider = "" if self._drafter.another(trial) else self._demands.decider(trial.relation)
        return repair(trial, draft, outcome, self._demands, self._ground, decider=decider)

    def _why(self, table: Relation, outcome: Outcome) -> str:
        """A sentence worth reading on why the server would not have a row."""
        if outcome.ok:
            return "a trigger or rule keeps every row out, or gives it to another tenant"
        found = next((c for c in table.constraints if c.name == outcome.constraint), None)
        said = words(outcome)
        if found is not None and found.kind in {"check", "exclusion", "foreign"}:
            return f"{said}: {found.definition}"
        if unsolved := self._recipes.unsolved.get(table.oid):
            return f"{said}: {unsolved}"
        return said
