"""One attempt at one row: what is tried, and, from the server's answer, what to try next."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from partywall.survey.planting.seed import Seed, fresh_seed

if TYPE_CHECKING:
    from partywall.catalog.facts import Constraint, Index, Relation
    from partywall.survey.attack import Outcome
    from partywall.survey.identity import Who

Purpose: TypeAlias = Literal["planted", "spare", "extra"]
Manner: TypeAlias = Literal["plain", "settings", "tenant", "replica"]
"""How a row is put in: as the administrator, with the tenant's settings, as the tenant itself,
or with triggers, rules and foreign keys not fired."""

LADDER: tuple[tuple[Manner, int], ...] = (
    ("plain", 0), ("settings", 0), ("settings", 1), ("plain", 2), ("settings", 2), ("tenant", 0),
    ("tenant", 2), ("replica", 0),
)  # fmt: skip
"""Manner, and how much is left to defaults: 1 what has a default, 2 also what may be NULL."""

NOT_NULL, UNIQUE, FOREIGN, CHECK, EXCLUSION = "23502", "23505", "23503", "23514", "23P01"
BAD_VALUE = {
    "22P02", "22001", "22003", "22007", "22008", "22023", "22P03", "2200M", "2200N", "22026",
    "22021", "42804", "22000", "22030", "22032",
}  # fmt: skip
GIVE_UP = {"57014", "55P03", "53100", "53200", "25006", "25P02"}
MOST_CHANGES = 4


@dataclass
class Trial:
    """The state of the attempts at one row.

    Attributes:
        pins: column -> value that is given from outside and never changed.
        turns: column -> which of its options to use.
        freed: columns whose demanded value must give way.
        nulled: columns that are left NULL.
        elsewhere: foreign keys that need another parent than the planted one.
        wishes: foreign key -> what its parent must hold besides.
        number: sets apart the further parents that different rows need.
        deciding: which of the values for the tenant column to use.
        rung: place on the `LADDER`.
        resolve: whether the conditions must be solved for this row's own values.
    """

    relation: Relation
    who: Who
    purpose: Purpose
    seed: Seed
    pins: dict[str, str | None] = field(default_factory=dict)
    turns: dict[str, int] = field(default_factory=dict)
    freed: set[str] = field(default_factory=set)
    nulled: set[str] = field(default_factory=set)
    elsewhere: dict[str, int] = field(default_factory=dict)
    wishes: dict[str, dict[str, str]] = field(default_factory=dict)
    number: int = 0
    deciding: int = 0
    rung: int = 0
    small: bool = False
    resolve: bool = False
    replica: bool = False
    failures: dict[str, int] = field(default_factory=dict)

    @property
    def manner(self) -> Manner:
        """How the next INSERT is made."""
        return "replica" if self.replica else LADDER[self.rung][0]

    @property
    def lean(self) -> int:
        """How much is left to defaults."""
        return LADDER[self.rung][1]

    def climb(self) -> bool:
        """Go on to the next manner; False at the end of the ladder."""
        if self.replica or self.rung + 1 >= len(LADDER):
            return False
        self.rung += 1
        return True

    def move(self, key: Constraint) -> None:
        """Have *key* point at another parent than so far."""
        self.elsewhere[key.name] = self.elsewhere.get(key.name, self.number) + 1

    def refresh(self) -> None:
        """Start over with new random values."""
        self.seed = fresh_seed(self.seed.canary)


@dataclass
class Draft:
    """A row about to be tried.

    Attributes:
        values: column name -> value, for every column that the INSERT names.
        given: columns whose value was demanded or taken from a parent.
        foreign: columns whose value is not the row's own, so that it is no token.
        constant: columns whose value is the same in every row.
        late: foreign keys left NULL until what they point at is planted.
        deferred: foreign keys whose check must wait.
    """

    values: dict[str, str | None] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    constant: set[str] = field(default_factory=set)
    late: list[Constraint] = field(default_factory=list)
    deferred: list[Constraint] = field(default_factory=list)


def bound_by(relation: Relation, name: str, leaf: Relation | None = None) -> tuple[str, ...]:
    """The columns that a constraint or index called *name* binds, in *relation* or its *leaf*."""
    for table in (relation, leaf):
        if table is None:
            continue
        for constraint in table.constraints:
            if constraint.name == name:
                plain = tuple(c for c in constraint.columns if c)
                return plain or _mentioned(relation, constraint.expression)
        for index in table.indexes:
            if index.name.rpartition(".")[2].strip('"') == name:
                return _of_index(relation, index)
    return ()


def _of_index(relation: Relation, index: Index) -> tuple[str, ...]:
    plain = tuple(c for c in index.columns if c)
    text = f"{index.expressions} {index.predicate or ''}"
    return tuple(dict.fromkeys((*plain, *_mentioned(relation, text))))


def _mentioned(relation: Relation, text: str) -> tuple[str, ...]:
    words = set(re.findall(r"\w+", text))
    return tuple(c.name for c in relation.columns if c.name in words)


def loosen(trial: Trial, draft: Draft, columns: tuple[str, ...], decider: str) -> bool:
    """Change something about *columns*, on which another row stands in the way.

    In this order: new random values, another option of those that are the same in every row,
    a demanded value given up, another parent, NULL. The tenant column of a tenant's own row
    never changes. Returns False when nothing is left to change.
    """
    relation = trial.relation
    times = trial.failures["unique"] = trial.failures.get("unique", 0) + 1
    free = [c for c in columns if c not in draft.given and c in draft.values]
    if times <= MOST_CHANGES and set(free) - draft.constant:
        trial.refresh()
        return True
    if times <= MOST_CHANGES and free:
        trial.turns |= {column: trial.turns.get(column, 0) + 1 for column in free}
        return True
    keys = [k for k in relation.foreign_keys if set(k.columns) & set(columns)]
    bound = {column for key in keys for column in key.columns}
    for column in columns:
        loose = column not in bound and column not in trial.pins and column != decider
        if loose and column not in trial.freed and column in draft.values:
            trial.freed.add(column)
            return True
    for key in keys:
        own = [c for c in key.columns if c in columns and c != decider and c not in trial.pins]
        if own and trial.elsewhere.get(key.name, trial.number) < trial.number + 2:
            trial.move(key)
            trial.freed |= set(own)
            return True
    for column in columns:
        nullable = not relation.by_name[column].not_null and column not in trial.nulled
        if nullable and column != decider and column not in trial.pins:
            trial.nulled.add(column)
            return True
    return False


def words(outcome: Outcome) -> str:
    """The server's own words for a failure, on one line."""
    return " ".join(outcome.message.split()) + f" ({outcome.sqlstate})"
