"""PW228: an own, permitted write that changes another tenant's rows elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, Unclear, attack
from partywall.survey.expressions import relations_in
from partywall.survey.generated import generated_row
from partywall.survey.surfaces import (
    belonging,
    insertable,
    inserting,
    level,
    plain_column,
    reachable,
    relations,
    row,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judgement, Outcome, Scene

WATCHED, DRAWN = 40, 6


@attack("PW228", effect="write")
def side_effects(scene: Scene) -> Iterator[Attempt]:
    """Insert, change and delete own rows of tables with triggers or rules, and watch B's rows.

    Rules run with the rights of the table's owner, definer trigger functions with those of
    theirs: either may reach rows that the writer can't. What is written carries B's values
    wherever a column is named like one of B's, so that a match by number or name is met.

    Affected:
        Tables with triggers or rules that write to other tables.

    Breaches:
        CREATE TABLE shop.payments (tenant text NOT NULL, id uuid PRIMARY KEY, number text);
        ALTER TABLE shop.payments ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON shop.payments TO app
          USING (tenant = current_setting('app.tenant', true));
        GRANT SELECT, INSERT ON shop.payments TO app;
        CREATE RULE pay AS ON INSERT TO shop.payments
          DO ALSO UPDATE shop.invoices SET note = 'paid' WHERE number = NEW.number;

    Holds:
        CREATE TABLE shop.payments (tenant text NOT NULL, id uuid PRIMARY KEY, number text);
        ALTER TABLE shop.payments ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON shop.payments TO app
          USING (tenant = current_setting('app.tenant', true));
        GRANT SELECT, INSERT ON shop.payments TO app;
        CREATE RULE pay AS ON INSERT TO shop.payments DO ALSO
          UPDATE shop.invoices SET note = 'paid' WHERE number = NEW.number AND tenant = NEW.tenant;

    Fix:
        Tie what triggers and rules write to the tenant of the row that was written.

    Source:
        https://www.postgresql.org/docs/current/rules-privileges.html
    """
    for relation in relations(scene):
        if not (relation.triggers or relation.rules):
            continue
        watched = _watched(scene, relation)
        if not watched:
            continue
        for drawn in ({}, *_values_of_b(scene, watched)):
            writes = _writes(scene, relation, drawn)
            for number in range(len(writes)):
                so_far = writes[: number + 1]
                yield _attempt(scene, relation, so_far, watched, plain=not drawn)


def _watched(scene: Scene, relation: Relation) -> list[Relation]:
    """Tables whose rows a trigger or rule of *relation* may touch; all when unknown."""
    names: set[str] = set()
    dynamic = False
    for rule in relation.rules:
        names |= {name for _, name in relations_in(rule.definition, "sql")}
    for trigger in relation.triggers:
        function = scene.snapshot.functions.get(trigger.function)
        if function is not None and trigger.enabled:
            found = relations_in(function.source, function.language)
            names |= {name for _, name in found}
            dynamic = (
                dynamic
                or "execute" in function.source.lower()
                or function.language not in {"sql", "plpgsql"}
            )
    held = [
        other
        for other in scene.snapshot.tables
        if row(scene, other, "B") and other.oid != relation.oid and not other.is_partition
    ]
    named = [other for other in held if other.name in names]
    return held[:WATCHED] if dynamic else named


def _writes(scene: Scene, relation: Relation, drawn: Mapping[str, str]) -> list[str]:
    """Statements that A may run on *relation*, each valid after those before it.

    Columns that *drawn* names take its values, but never those that say whose the row is.
    """
    own = row(scene, relation, "A", spare=True)
    single = relation.name.removesuffix("s")
    named = {
        column.name: drawn.get(column.name) or drawn.get(f"{single}_{column.name}")
        for column in relation.columns
    }
    may_insert = reachable(scene, "A", relation, "INSERT")
    if own is None:
        granted = scene.grants("A").columns_for("INSERT", relation)
        found = {name: value for name, value in named.items() if value is not None}
        return [sql.insert(relation.qualified, generated_row(granted, found))] if may_insert else []
    ours = belonging(scene, relation, own)
    changes = {
        c.quoted: named[c.name]
        for c in relation.columns
        if named[c.name] is not None and c.quoted in own.written and c.quoted not in ours
        and not c.unguessable
    }  # fmt: skip
    if drawn and not changes:
        return []
    writes: list[str] = []
    where = sql.conditions({n: changes.get(n, v) for n, v in own.key.items()})
    if may_insert:
        left_out = insertable(scene, relation, "A", own)
        writes.append(own.insert(changes=changes, omit=left_out))
    elif not drawn:
        where = (row(scene, relation, "A") or own).where
    if reachable(scene, "A", relation, "UPDATE"):
        column = plain_column(scene, relation, "A")
        if column is not None and column.quoted in own.values:
            value = changes.get(column.quoted, own.values[column.quoted])
            writes.append(sql.update(relation.qualified, {column.quoted: value}, where))
    if reachable(scene, "A", relation, "DELETE"):
        writes.append(sql.delete(relation.qualified, where))
    return writes


def _values_of_b(scene: Scene, watched: Sequence[Relation]) -> list[dict[str, str]]:
    """Values in B's rows of the tables watched: by column, and by table and column."""
    found = []
    for relation in watched[:DRAWN]:
        held = row(scene, relation, "B")
        if held is None:
            continue
        single = relation.name.removesuffix("s")
        named: dict[str, str] = {}
        for column in relation.columns:
            value = held.values.get(column.quoted)
            if value is not None:
                named[column.name] = value
                named.setdefault(f"{single}_{column.name}", value)
        found.append(named)
    return found


def _attempt(
    scene: Scene,
    relation: Relation,
    writes: Sequence[str],
    watched: Sequence[Relation],
    *,
    plain: bool,
) -> Attempt:
    """The last of *writes*, after those before it; a *plain* one draws on nothing of B's."""
    queries = []
    for other in watched:
        held = row(scene, other, "B")
        if held is not None:
            queries.append(
                f"SELECT {sql.literal(other.qualified)}, "
                f"(SELECT t.ctid::text FROM {other.qualified} t WHERE {held.where} LIMIT 1)"
            )
    look = Step("admin", " UNION ALL ".join(queries), quiet=True)
    before = [Step("A", earlier) for earlier in writes[:-1]]

    both_insert = reachable(scene, "A", relation, "INSERT") and reachable(
        scene, "B", relation, "INSERT"
    )
    control, controlled = inserting(scene, relation)

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        first, done, second = outcomes[-3:]
        if plain and not done.ok and not done.refused:
            return Unclear(f"the write itself failed: {done.message} ({done.sqlstate})")
        if not (first.ok and second.ok and done.ok):
            return None
        changed = [one for one, two in zip(first.rows, second.rows, strict=True) if one != two]
        if not changed:
            return None
        gone = [table for table, place in second.rows if place is None]
        lost = [table for table, _ in changed if table in gone]
        because = f"a write to {relation.qualified} reached another tenant's row in {changed[0][0]}"
        return Breach(because, "destroy" if lost else "write")

    return Attempt(
        at=relation.qualified,
        attacker="A",
        steps=(*before, look, Step("A", writes[-1]), look),
        judge=judge,
        control=control if both_insert else (),
        controlled=controlled,
        level=level(scene, relation),
        fix=f"tie what the triggers and rules of {relation.qualified} write to the tenant of "
        "the row written",
    )
