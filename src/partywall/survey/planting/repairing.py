"""From the server's refusal of a row to the next thing to try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.planting import trial as of
from partywall.survey.planting.checks import read
from partywall.survey.planting.fitting import fits
from partywall.survey.planting.ground import Ground
from partywall.survey.sql import literal

if TYPE_CHECKING:
    from partywall.catalog.facts import Constraint, Oid, Relation, Snapshot
    from partywall.survey.attack import Outcome
    from partywall.survey.planting.demands import Demands
    from partywall.survey.planting.trial import Draft, Trial

MOST_TURNS, MOST_IDS = 8, 3


def leaf_named(snapshot: Snapshot, relation: Relation, name: str) -> Relation | None:
    """The partition of *relation* that an error calls *name*."""
    for table in snapshot.tables:
        if table.name == name and table.is_partition and _root(snapshot, table) == relation.oid:
            return table
    return None


def _root(snapshot: Snapshot, table: Relation) -> Oid:
    while table.is_partition and table.parent is not None:
        table = snapshot.relations[table.parent]
    return table.oid


def repair(
    trial: Trial, draft: Draft, outcome: Outcome, demands: Demands, ground: Ground, *, decider: str
) -> bool:
    """Change *trial* after *outcome*; False when there is nothing left to try.

    *decider* is the column that says whose the row is and never changes.
    """
    relation = trial.relation
    leaf = None
    if outcome.table not in {"", relation.name}:
        leaf = leaf_named(demands.snapshot, relation, outcome.table)
        if leaf is None:
            return trial.climb()  # a trigger wrote elsewhere, and failed there
    columns = of.bound_by(relation, outcome.constraint, leaf)
    code = outcome.sqlstate
    if code == of.CHECK:
        return _check(trial, draft, columns, outcome.constraint, demands)
    if code == of.FOREIGN:
        return _foreign(trial, columns, decider)
    if code in {of.UNIQUE, of.EXCLUSION} and columns:
        if of.loosen(trial, draft, columns, decider):
            return True
        return code == of.UNIQUE and trial.purpose == "planted" and trial.climb()
    return _bad_value(trial, draft, ground) if code in of.BAD_VALUE else trial.climb()


def _check(
    trial: Trial, draft: Draft, columns: tuple[str, ...], name: str, demands: Demands
) -> bool:
    """Solve the conditions for this very row; then have other values, then other parents."""
    failures = trial.failures["check"] = trial.failures.get("check", 0) + 1
    if failures == 1:
        trial.resolve = True
        return True
    wishes = _wishes(trial, columns, name, demands)
    if failures - 2 < len(wishes):
        key, wish = wishes[failures - 2]
        trial.wishes = {key.name: wish}
        trial.freed |= set(key.columns) & set(columns)
        return True
    domains = [c.name for c in trial.relation.columns if c.domain_checks]
    turned = [c for c in columns or domains if c not in draft.given]
    for column in turned:
        trial.turns[column] = trial.turns.get(column, 0) + 1
    if not turned and failures - 2 == len(wishes):
        keys = [k for k in trial.relation.foreign_keys if set(k.columns) & set(columns)]
        for key in keys[1:]:
            trial.move(key)
        if keys[1:]:
            return True
    return (bool(turned) and failures <= MOST_TURNS) or trial.climb()


def _wishes(
    trial: Trial, columns: tuple[str, ...], name: str, demands: Demands
) -> list[tuple[Constraint, dict[str, str]]]:
    """What the parents of a row might have to hold, so that its condition *name* is met.

    ``kind = 'x'`` on a column of a foreign key, or a function that looks the parent up and
    compares its kind with ``'x'``.
    """
    relation = trial.relation
    condition = next((c for c in relation.constraints if c.name == name and c.expression), None)
    if condition is None:
        return []
    constants = read(name, condition.expression, columns).constants
    kinds: list[tuple[Constraint, dict[str, str]]] = []
    direct: list[tuple[Constraint, dict[str, str]]] = []
    for key in relation.foreign_keys:
        target = demands.snapshot.relations.get(key.target or 0)
        if target is None or not set(key.columns) & set(columns):
            continue
        for column in target.columns:
            kinds += [(key, {column.name: c}) for c in constants if c in column.enum]
        for own, of_target in zip(key.columns, key.target_columns, strict=True):
            if own in columns and own != demands.decider(relation):
                direct += [
                    (key, {of_target: c}) for c in constants if fits(target.by_name[of_target], c)
                ]
    found = kinds + direct
    return found[:MOST_TURNS]


def _foreign(trial: Trial, columns: tuple[str, ...], decider: str) -> bool:
    """Try another value for the tenant column, then other manners."""
    if decider in columns and trial.deciding < MOST_IDS:
        trial.deciding += 1
        return True
    return trial.climb()


def _bad_value(trial: Trial, draft: Draft, ground: Ground) -> bool:
    """Find the column whose value its type refuses; when none does, make the numbers small."""
    relation = trial.relation
    failures = trial.failures["value"] = trial.failures.get("value", 0) + 1
    if failures > MOST_TURNS:
        return trial.climb()
    for name, value in draft.values.items():
        column = relation.by_name[name]
        if value is None or ground.ask(f"SELECT CAST({literal(value)} AS {column.type})").ok:
            continue
        if name == "" or name in draft.given:
            if name in trial.pins or name in trial.freed:
                continue
            trial.freed.add(name)
            trial.deciding += 1
        else:
            trial.turns[name] = trial.turns.get(name, 0) + 1
        return True
    if not trial.small:
        trial.small = True
        return True
    return trial.climb()
