"""PW202: rows that belong to no tenant yet are a way from one tenant to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.mending.walls import walled
from partywall.survey.surfaces import (
    STRANGERS,
    attackers,
    insertable,
    plain_column,
    reachable,
    readable_columns,
    relations,
    rightful,
    row,
    tenant_column,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Column, Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.identity import Who


@attack("PW202", effect="read")
def unassigned_rows(scene: Scene) -> Iterator[Attempt]:
    """Read, and write, rows whose tenant column, or link to the parent that has it, is NULL.

    ``IS NOT DISTINCT FROM`` makes a missing tenant equal to a missing context: who has no context
    sees rows that no tenant sees. ``tenant_id IS NULL OR …`` gives such rows to everyone; where
    a tenant may also write them, everybody reads what it writes and works with what it changes.
    Rows that are everybody's on purpose are declared under ``[[public]]``.

    Affected:
        Tables whose tenant column may be NULL: rows from before there were tenants, from imports,
        or meant for all.

    Breaches:
        CREATE TABLE shop.notes (tenant text, id uuid PRIMARY KEY, body text NOT NULL);
        ALTER TABLE shop.notes ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON shop.notes TO app
          USING (tenant IS NOT DISTINCT FROM current_setting('app.tenant', true));
        GRANT SELECT, INSERT ON shop.notes TO app;

    Holds:
        CREATE TABLE shop.notes (tenant text, id uuid PRIMARY KEY, body text NOT NULL);
        ALTER TABLE shop.notes ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON shop.notes TO app
          USING (tenant = current_setting('app.tenant', true));
        GRANT SELECT, INSERT ON shop.notes TO app;

    Fix:
        Compare by =, which no NULL passes, and make the tenant column NOT NULL; rows that are for
        all belong into a table of their own.

    Source:
        https://www.postgresql.org/docs/current/functions-comparison.html
    """
    for relation in relations(scene):
        column = tenant_column(scene, relation) or _link(scene, relation)
        held = row(scene, relation, "B", spare=True)
        if column is None or held is None or column.not_null or not relation.stores_rows:
            continue
        if relation.qualified in scene.public or column.quoted not in held.values:
            continue
        for who in attackers(scene):
            if who in STRANGERS and reachable(scene, who, relation, "SELECT"):
                yield _read_without_context(scene, relation, who, column.quoted)
        if reachable(scene, "A", relation, "SELECT"):
            yield _read_from(scene, relation, column.quoted)
        if reachable(scene, "A", relation, "UPDATE"):
            yield from _change(scene, relation, column.quoted)


def _link(scene: Scene, relation: Relation) -> Column | None:
    """The column that leads from a row to its parent, and so to the tenant."""
    owner = scene.model.owned.get(relation.qualified)
    return relation.by_name.get(owner.column) if owner and owner.kind == "parent" else None


def _read_without_context(scene: Scene, relation: Relation, who: Who, column: str) -> Attempt:
    held = row(scene, relation, "B", spare=True)
    standing = row(scene, relation, "B")
    assert held is not None  # noqa: S101 - the planner has looked
    query = sql.select(
        relation.qualified, readable_columns(scene, who, relation), f"{column} IS NULL"
    )
    tokens = held.tokens | {scene.world.canaries["B"]}

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        planted, without, within = outcomes
        if planted.ok and without.shows(tokens) and not within.shows(tokens):
            return Breach(f"who has no context sees rows of {relation.qualified} no tenant sees")
        return None

    control = sql.select(relation.qualified, (), standing.where if standing else "")
    return Attempt(
        at=relation.qualified,
        attacker=who,
        steps=(
            Step("admin", held.insert(changes={column: None}), loose=True),
            Step(who, query),
            Step("A", query),
        ),
        judge=judge,
        control=(Step("B", control),) if standing else (),
        controlled=rightful(scene, relation, "SELECT"),
        fix=f"ALTER TABLE {relation.qualified} ALTER COLUMN {column} SET NOT NULL",
        repair=lambda: walled(scene, relation),
    )


def _read_from(scene: Scene, relation: Relation, column: str) -> Attempt:
    held = row(scene, relation, "B", spare=True)
    assert held is not None  # noqa: S101 - the planner has looked
    left_out = insertable(scene, relation, "B", held)
    query = sql.select(
        relation.qualified, readable_columns(scene, "A", relation), f"{column} IS NULL"
    )

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        planted, read = outcomes
        if planted.ok and read.shows(held.tokens | {scene.world.canaries["B"]}):
            return Breach(f"what a tenant writes to {relation.qualified} without itself, all read")
        return None

    return Attempt(
        at=relation.qualified,
        attacker="A",
        steps=(
            Step("B", held.insert(changes={column: None}, omit=left_out - {column})),
            Step("A", query),
        ),
        judge=judge,
        control=(Step("B", held.insert(omit=left_out)),),
        controlled=rightful(scene, relation, "INSERT"),
        fix=f"ALTER TABLE {relation.qualified} ALTER COLUMN {column} SET NOT NULL",
        repair=lambda: walled(scene, relation),
    )


def _change(scene: Scene, relation: Relation, column: str) -> Iterator[Attempt]:
    held = row(scene, relation, "B", spare=True)
    changed = plain_column(scene, relation, "A")
    if held is None or changed is None or changed.quoted not in held.values:
        return
    value = (row(scene, relation, "A") or held).values[changed.quoted]
    change = sql.update(relation.qualified, {changed.quoted: value}, f"{column} IS NULL")
    look = Step("B", sql.select(relation.qualified, ["ctid", changed.quoted], f"{column} IS NULL"))

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        _, before, done, after = outcomes
        if done.ok and before.rows and before.rows != after.rows:
            return Breach(f"rows of {relation.qualified} that all tenants see were changed by one")
        return None

    yield Attempt(
        at=relation.qualified,
        attacker="A",
        effect="write",
        steps=(
            Step("admin", held.insert(changes={column: None}), quiet=True, loose=True),
            look,
            Step("A", change),
            look,
        ),
        judge=judge,
        control=(
            Step(
                "B",
                sql.update(
                    relation.qualified,
                    {changed.quoted: value},
                    (row(scene, relation, "B") or held).where,
                ),
            ),
        ),
        controlled=rightful(scene, relation, "UPDATE"),
        fix=f"ALTER TABLE {relation.qualified} ALTER COLUMN {column} SET NOT NULL",
        repair=lambda: walled(scene, relation),
    )
