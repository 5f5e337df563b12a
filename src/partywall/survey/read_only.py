"""A survey that only reads: rows that exist stand in for planted ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from partywall.survey.attack import Step
from partywall.survey.planting.seed import fresh_canary
from partywall.survey.sql import literal
from partywall.survey.world import Row, World

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from partywall.catalog.facts import Relation, Snapshot
    from partywall.model import TenancyModel
    from partywall.survey.attack import Attack, Attempt
    from partywall.survey.identity import Identity, Who
    from partywall.survey.stage import Stage

READS = re.compile(r"\s*(SELECT|TABLE|VALUES|COPY .* TO STDOUT|SHOW|WITH)\b", re.IGNORECASE)
WRITES = re.compile(
    r"\b(INSERT|UPDATE|DELETE|MERGE|TRUNCATE|nextval|setval|set_config|lo_\w+|CALL|CREATE|ALTER|DROP|"
    r"pg_notify|pg_advisory\w*)\b",
    re.IGNORECASE,
)
TELLING_LENGTH, NESTED = 8, 4


def existing(
    stage: Stage, snapshot: Snapshot, model: TenancyModel, identities: Mapping[Who, Identity]
) -> World:
    """Find one row of A and one of B in every tenant-owned table; their values stay unshown.

    A value betrays B's row when it is long and stands in B's row only.
    """
    found: dict[tuple[str, Who], Row] = {}
    missing: dict[str, str] = {}
    tenants: tuple[Who, ...] = ("A", "B")
    for table in model.owned:
        relation = snapshot.by_qualified[table]
        values = {who: _one(stage, snapshot, model, identities, relation, who) for who in tenants}
        for who, other in (("A", "B"), ("B", "A")):
            mine, theirs = values[who], values[other]  # type: ignore[index] # literals of Who
            if mine is not None:
                found[table, who] = _row(relation, who, mine, theirs or {})  # type: ignore[index,arg-type] # likewise
        if values["B"] is None and model.owned[table].kind != "schema":
            missing[table] = f"no row of {identities['B'].name} exists, and --read-only plants none"
    return World({who: fresh_canary(who) for who in tenants}, found, {}, missing)


def hidden(
    stage: Stage, snapshot: Snapshot, model: TenancyModel, identities: Mapping[Who, Identity]
) -> frozenset[str]:
    """Values that stand in rows of B and not in the same table's rows of A."""
    rows = existing(stage, snapshot, model, identities).planted
    return frozenset(t for (_, who), row in rows.items() if who == "B" for t in row.tokens)


def reading(
    planned: Iterable[tuple[Attack, Attempt]],
) -> tuple[list[tuple[Attack, Attempt]], int]:
    """Part attempts into those that only read, and the number of the others."""
    kept, left = [], 0
    for attack, attempt in planned:
        steps = (*attempt.steps, *attempt.control)
        if attempt.commits or not all(_reads(step) for step in steps):
            left += 1
        else:
            kept.append((attack, attempt))
    return kept, left


def _reads(step: Step) -> bool:
    return bool(READS.match(step.sql)) and not WRITES.search(step.sql)


def _one(
    stage: Stage,
    snapshot: Snapshot,
    model: TenancyModel,
    identities: Mapping[Who, Identity],
    relation: Relation,
    who: Who,
) -> dict[str, str | None] | None:
    condition = _owned(snapshot, model, identities, relation, who, NESTED)
    if condition is None:
        return None
    columns = ", ".join(f"{column.quoted}::text" for column in relation.columns)
    outcome = stage.play(
        [Step("admin", f"SELECT {columns} FROM {relation.qualified} WHERE {condition} LIMIT 1")]
    )[0]
    if not outcome.rows:
        return None
    return dict(zip((c.quoted for c in relation.columns), outcome.rows[0], strict=True))


def _owned(
    snapshot: Snapshot,
    model: TenancyModel,
    identities: Mapping[Who, Identity],
    relation: Relation,
    who: Who,
    depth: int,
) -> str | None:
    """A condition that holds for the rows of *who*, None when there is no saying."""
    owner = model.owned.get(relation.qualified)
    found: str | None = None
    if owner is None or not depth:
        return None
    if owner.kind in {"column", "registry"}:
        column = relation.by_name[owner.column].quoted
        found = f"{column}::text = {literal(identities[who].tenant)}"
    elif owner.kind == "database":
        found = "true" if identities[who].database == snapshot.database else None
    elif owner.kind == "schema":
        found = "true" if model.schemas.get(who) == relation.schema else None
    elif owner.kind == "parent":
        parent = snapshot.by_qualified[owner.parent]
        inner = _owned(snapshot, model, identities, parent, who, depth - 1)
        key = next((k for k in relation.foreign_keys if ",".join(k.columns) == owner.column), None)
        if inner is not None and key is not None:
            own = ", ".join(relation.by_name[name].quoted for name in key.columns)
            theirs = ", ".join(parent.by_name[name].quoted for name in key.target_columns)
            found = f"({own}) IN (SELECT {theirs} FROM {parent.qualified} WHERE {inner})"
    return found


def _row(
    relation: Relation, who: Who, values: dict[str, str | None], others: Mapping[str, str | None]
) -> Row:
    key = {relation.by_name[name].quoted for name in relation.primary_key} or set(values)
    known = {name: value for name, value in values.items() if name in key and value is not None}
    foreign = set(others.values())
    tokens = frozenset(
        value
        for value in values.values()
        if value is not None and len(value) >= TELLING_LENGTH and value not in foreign
    )
    return Row(relation.qualified, who, values, known, tokens, tuple(values), real=True)
