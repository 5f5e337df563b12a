"""Find the row that a foreign key points at: planted, standing there, promised, or planted now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from partywall.survey.planting.order import optional
from partywall.survey.planting.standing import alike
from partywall.survey.planting.values import makers
from partywall.survey.sql import literal

if TYPE_CHECKING:
    from partywall.catalog.facts import Constraint, Relation
    from partywall.survey.identity import Who
    from partywall.survey.planting.demands import Demands
    from partywall.survey.planting.ground import Ground
    from partywall.survey.planting.standing import Standing
    from partywall.survey.planting.trial import Draft, Trial
    from partywall.survey.world import Row

Extra: TypeAlias = "Callable[[Relation, Who, dict[str, str | None]], Row | str]"
"""Plants a further row with some values given; returns it, or why there is none."""
Cells: TypeAlias = "Mapping[str, str | None]"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A parent that is looked for.

    Attributes:
        fixed: values that its columns must have.
        optional: whether the row may do without it.
        frozen: whether nothing may be planted for its sake.
    """

    key: Constraint
    target: Relation
    fixed: dict[str, str]
    optional: bool
    frozen: bool


class Parents:
    """Resolves foreign keys for one database."""

    def __init__(self, ground: Ground, demands: Demands, standing: Standing, extra: Extra) -> None:
        self._ground = ground
        self._demands = demands
        self._standing = standing
        self._extra = extra

    def precedence(self, trial: Trial, key: Constraint) -> tuple[bool, bool, int, str]:
        """Order foreign keys: to the registry, to a particular parent, of most columns."""
        particular = key.name in trial.wishes or key.name in trial.elsewhere
        target = self._demands.snapshot.relations.get(key.target or 0)
        ownership = self._demands.ownership(target) if target else None
        registry = ownership is not None and ownership.kind == "registry"
        return (not registry, not particular, -len(key.columns), key.name)

    def follow(self, trial: Trial, draft: Draft, key: Constraint, *, frozen: bool) -> str:
        """Give the columns of a foreign key their parent's values; "" or why that failed."""
        target = self._demands.snapshot.relations.get(key.target or 0)
        pairs = list(zip(key.columns, key.target_columns, strict=True))
        values = draft.values
        if target is None or any(n in values and values[n] is None for n, _ in pairs):
            return ""  # one NULL, and nothing is pointed at
        wanted = self._wanted(trial, draft, key, target, frozen=frozen)
        parent = self._parent(trial, wanted)
        if parent is None and not wanted.optional and target.oid in self._standing.ahead:
            parent = self._promise(trial, draft, wanted)
        if parent is None:
            return self._without(trial, draft, wanted)
        foreign = self._demands.ownership(target) is None or (
            trial.who not in self._demands.tenants(target)
        )
        for name, of_parent in pairs:
            values[name] = parent[of_parent]
            draft.given.add(name)
            if foreign:
                draft.foreign.add(name)
        return ""

    def _wanted(
        self, trial: Trial, draft: Draft, key: Constraint, target: Relation, *, frozen: bool
    ) -> Wanted:
        pairs = zip(key.columns, key.target_columns, strict=True)
        fixed = {t: value for name, t in pairs if (value := draft.values.get(name)) is not None}
        fixed |= trial.wishes.get(key.name, {})
        if self._demands.ownership(target) is None and key.name not in trial.elsewhere:
            # a row of a shared table that must be the acting user's
            for name in set(key.target_columns) - set(fixed):
                value = self._demands.value(target, target.by_name[name], trial.who)
                if value is not None:
                    fixed[name] = value
        free = optional(trial.relation, key, self._demands.decider(trial.relation))
        return Wanted(key, target, fixed, free, frozen)

    def _without(self, trial: Trial, draft: Draft, wanted: Wanted) -> str:
        """Leave the foreign key NULL, for now or for good; say why where that can't be."""
        target = wanted.target
        if not wanted.optional:
            why = self._standing.why(target.qualified) or wanted.key.name
            return f"it must point at a row of {target.qualified}, which has none: {why}"
        if target.oid in self._standing.ahead and trial.purpose == "planted":
            draft.late.append(wanted.key)
        for name in wanted.key.columns:
            if name not in draft.values and not trial.relation.by_name[name].not_null:
                draft.values[name] = None
                draft.given.add(name)
        return ""

    def _parent(self, trial: Trial, wanted: Wanted) -> Cells | None:
        """The values of the row to point at, None when there is none (yet)."""
        key, target, fixed = wanted.key, wanted.target, wanted.fixed
        times = trial.elsewhere.get(key.name, 0)
        owned = self._demands.ownership(target) is not None
        if not times and (cells := self._planted(trial, wanted)) is not None:
            return cells
        if owned and target.oid in self._standing.ahead:
            return None
        what = (*key.target_columns, *sorted(fixed.items()))
        place = (target.oid, trial.who if owned else "", what, times)
        if place not in self._standing.found:
            found = self._look(trial, wanted)
            fixing = fixed.keys() - {self._demands.decider(target)}
            if found is None and not wanted.frozen and (fixing or times or not wanted.optional):
                found = self._plant(trial, wanted)
            if found is None:
                return None
            self._standing.found[place] = found
        return self._standing.found[place]

    def _planted(self, trial: Trial, wanted: Wanted) -> Cells | None:
        """The planted row, when it has what is fixed; its word on the tenant goes first."""
        target, key = wanted.target, wanted.key
        row = self._row_of(target, trial.who)
        if row is None:
            return None
        values = {name: row.values.get(c.quoted) for name, c in target.by_name.items()}
        own = dict(zip(key.target_columns, key.columns, strict=True))
        decider = self._demands.decider(trial.relation)
        differing = [t for t, value in wanted.fixed.items() if not alike(values[t], value)]
        if any(own.get(t) != decider for t in differing):
            return None
        return {t: values[t] for t in key.target_columns}

    def _row_of(self, target: Relation, who: Who) -> Row | None:
        """The row of *who* in *target*; where only others can have one, another's."""
        holders = self._demands.tenants(target)
        for tenant in (who,) if who in holders else holders:
            row = self._standing.planted.get((target.qualified, tenant))
            if row is not None:
                return row
        return None

    def _look(self, trial: Trial, wanted: Wanted) -> Cells | None:
        """A row that stands there already and may be pointed at."""
        target, fixed = wanted.target, wanted.fixed
        where = [f"{target.by_name[t].quoted} = {literal(v)}" for t, v in fixed.items()]
        times = trial.elsewhere.get(wanted.key.name, 0)
        if self._demands.ownership(target) is not None:
            decider = self._demands.decider(target)
            mine = self._demands.deciding(target, trial.who)
            if times or not (fixed or (decider and mine)):
                return None
            if decider and mine:
                where.append(f"{target.by_name[decider].quoted} = {literal(mine[0])}")
        used = [v for (oid, *_), v in self._standing.found.items() if oid == target.oid and times]
        where += [
            f"{target.by_name[t].quoted} <> {literal(value)}"
            for known in used
            for t, value in known.items()
            if t not in fixed and value is not None
        ]
        columns = wanted.key.target_columns
        cells = self._ground.look(target, columns, " AND ".join(where))
        return None if cells is None else dict(zip(columns, cells, strict=True))

    def _plant(self, trial: Trial, wanted: Wanted) -> Cells | None:
        """A further row, for this one to point at."""
        target = wanted.target
        if target.oid in self._standing.busy:
            return None
        row = self._extra(target, trial.who, dict(wanted.fixed))
        if isinstance(row, str):
            self._standing.further[target.qualified] = row
            return None
        return {t: row.values.get(target.by_name[t].quoted) for t in wanted.key.target_columns}

    def _promise(self, trial: Trial, draft: Draft, wanted: Wanted) -> Cells:
        """Settle the key of a row that is planted later, and point at it before it stands."""
        key, target = wanted.key, wanted.target
        promised = self._standing.promised.setdefault((target.oid, trial.who), {})
        for name in key.target_columns:
            column = target.by_name[name]
            value = wanted.fixed.get(name) or self._demands.value(target, column, trial.who)
            if name not in promised:
                found = makers(column)
                promised[name] = value or (found[0](trial.seed) if found else None)
        if key.deferrable:
            draft.deferred.append(key)
        else:
            trial.replica = True
        return {name: promised[name] for name in key.target_columns}
