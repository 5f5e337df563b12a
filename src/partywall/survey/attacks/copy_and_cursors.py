"""PW219: another tenant's rows come back from COPY, a cursor or RETURNING."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.engine import CLOSED
from partywall.survey.mending.walls import walled
from partywall.survey.surfaces import level, plain_column, reachable, readable_columns, row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.identity import Who
    from partywall.survey.world import Row

CURSOR = "partywall_cursor"


@attack("PW219", effect="read")
def copy_and_cursors(scene: Scene) -> Iterator[Attempt]:
    """Read by other ways than a plain SELECT: COPY, cursors, and RETURNING of writes, as A.

    Each is bound by the policies of its command, RETURNING by those for SELECT too; a rule or a
    policy for one command alone may let through what the others hold back.

    Affected:
        Tables on which somebody relies on the application to ask for the tenant.

    Breaches:
        ALTER TABLE shop.invoices DISABLE ROW LEVEL SECURITY;

    Holds:
        ALTER TABLE shop.invoices ENABLE ROW LEVEL SECURITY;

    Fix:
        Put row security on the table: it binds every way of reading.

    Source:
        https://www.postgresql.org/docs/current/sql-createpolicy.html
    """
    for relation in scene.snapshot.tables:
        held = row(scene, relation, "B")
        owned = relation.qualified in scene.model.owned and relation.qualified not in scene.public
        if owned and held is not None and scene.usable("A", relation):
            steps = _steps(scene, relation, held, "A")
            if steps:
                yield _attempt(scene, relation, held, steps)


def _attempt(scene: Scene, relation: Relation, held: Row, steps: Sequence[Step]) -> Attempt:
    tokens = held.tokens

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        for number, (step, outcome) in enumerate(zip(steps, outcomes, strict=True)):
            unsaid = [token for token in tokens if token not in step.sql]
            if outcome.shows(unsaid):
                shown = (number - 1, number) if step.sql.startswith("FETCH") else (number,)
                verb = step.sql.split()[0]
                said = f"rows of another tenant came back from {relation.qualified} by {verb}"
                return Breach(said, shown=shown)
        return None

    own = tuple(_steps(scene, relation, held, "B"))

    def controlled(outcomes: Sequence[Outcome]) -> str:
        if any(outcome.rows for outcome in outcomes):
            return ""
        return CLOSED

    return Attempt(
        at=relation.qualified,
        attacker="A",
        steps=tuple(steps),
        judge=judge,
        control=own,
        controlled=controlled,
        level=level(scene, relation),
        fix="compare the tenant column with the context in the policies of every command",
        repair=lambda: walled(scene, relation),
    )


def _steps(scene: Scene, relation: Relation, held: Row, who: Who) -> list[Step]:
    """The ways that the privileges of *who* leave open; on the target B's planted row alone."""
    found: list[str] = []
    table = relation.qualified
    columns = readable_columns(scene, who, relation)
    known = {c.quoted for c in scene.grants(who).columns_for("SELECT", relation)}
    if reachable(scene, who, relation, "SELECT") and set(held.key) <= known:
        narrow = held.where if scene.place == "target" else ""
        query = sql.select(table, columns, narrow)
        listed = f" ({', '.join(columns)})" if columns else ""
        if not narrow and relation.kind == "table":
            found.append(f"COPY {table}{listed} TO STDOUT")
        found.append(f"COPY ({query}) TO STDOUT")
        found += [f"DECLARE {CURSOR} CURSOR FOR {query}", f"FETCH ALL FROM {CURSOR}"]
    returning = f" RETURNING {', '.join(sorted(known)) or '1'}" if known else " RETURNING 1"
    column = plain_column(scene, relation, who)
    if known and column is not None and column.quoted in held.values:
        change = {column.quoted: held.values[column.quoted]}
        found.append(sql.update(table, change, held.where) + returning)
    if known and reachable(scene, who, relation, "DELETE"):
        found.append(sql.delete(table, held.where) + returning)
    return [Step(who, one) for one in found] + _upsert(scene, relation, held, who, returning)


def _upsert(scene: Scene, relation: Relation, held: Row, who: Who, returning: str) -> list[Step]:
    """A row of one's own that meets B's in a unique key, and asks for what stands there."""
    own = row(scene, relation, "A", spare=True)
    column = plain_column(scene, relation, who)
    if own is None or column is None or not reachable(scene, who, relation, "INSERT"):
        return []
    steps = []
    for index in relation.indexes:
        unique = index.unique and not index.predicate and all(index.columns)
        names = [relation.by_name[name].quoted for name in index.columns if name]
        same = {n: held.values.get(n) for n in names if n in own.written}
        if unique and same:
            keep = f"{column.quoted} = {relation.quoted}.{column.quoted}"
            insert = own.insert(changes=same)
            on = f" ON CONFLICT ({', '.join(names)}) DO UPDATE SET {keep}"
            steps.append(Step(who, insert + on + returning))
    return steps
