"""PW226: another tenant's row overwritten by INSERT … ON CONFLICT DO UPDATE or MERGE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.mending.walls import walled
from partywall.survey.surfaces import (
    belonging,
    insertable,
    level,
    lists_tenants,
    plain_column,
    reachable,
    relations,
    rightful,
    row,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.world import Row

MERGE_SINCE = 150000


@attack("PW226", effect="write")
def upsert_over(scene: Scene) -> Iterator[Attempt]:
    """Insert an own row that collides with B's and update what it collides with; MERGE likewise.

    PostgreSQL asks the UPDATE policies for the row in the way and raises an error where they
    refuse; with ``FOR UPDATE USING (true)`` B's row is overwritten.

    Affected:
        Applications that INSERT … ON CONFLICT DO UPDATE, or MERGE.

    Breaches:
        CREATE POLICY look ON shop.invoices FOR SELECT TO app USING (true);
        CREATE POLICY edit ON shop.invoices FOR UPDATE TO app USING (true);

    Holds:
        CREATE POLICY look ON shop.invoices FOR SELECT TO app USING (true);
        CREATE POLICY edit ON shop.invoices FOR UPDATE TO app
          USING (tenant = current_setting('app.tenant', true));

    Fix:
        Compare the tenant in the USING of every permissive policy for UPDATE, and lead the keys
        that collide by the tenant.

    Source:
        https://www.postgresql.org/docs/current/sql-insert.html#SQL-ON-CONFLICT
    """
    for relation in relations(scene):
        own, prey = row(scene, relation, "A", spare=True), row(scene, relation, "B")
        if own is None or prey is None or not relation.stores_rows:
            continue
        may = all(reachable(scene, "A", relation, p) for p in ("INSERT", "UPDATE", "SELECT"))
        if may and plain_column(scene, relation, "A"):
            yield from _attempts(scene, relation, own, prey)


def _attempts(scene: Scene, relation: Relation, own: Row, prey: Row) -> Iterator[Attempt]:
    column = plain_column(scene, relation, "A")
    if column is None or column.quoted not in own.values or column.quoted not in prey.values:
        return
    change = f"{column.quoted} = {sql.literal(own.values[column.quoted])}"
    ours = set(belonging(scene, relation, own))
    for index in relation.indexes:
        names = tuple(relation.by_name[n].quoted for n in index.columns if n)
        plain = (
            index.unique
            and not lists_tenants(scene, relation)
            and not index.predicate
            and len(names) == len(index.columns)
        )
        if not plain or ours & set(names) or not set(names) <= set(prey.values):
            continue
        collide = own.insert(
            changes={n: prey.values[n] for n in names}, omit=insertable(scene, relation, "A", own)
        )
        statement = f"{collide} ON CONFLICT ({', '.join(names)}) DO UPDATE SET {change}"
        same = f"{prey.insert()} ON CONFLICT ({', '.join(names)}) DO UPDATE SET {change}"
        yield _attempt(scene, relation, prey, statement, same)
    if scene.snapshot.version >= MERGE_SINCE:
        merge = (
            f"MERGE INTO {relation.qualified} USING (SELECT 1) AS one ON {prey.where} "
            f"WHEN MATCHED THEN UPDATE SET {change}"
        )
        yield _attempt(scene, relation, prey, merge, merge)


def _attempt(scene: Scene, relation: Relation, prey: Row, statement: str, same: str) -> Attempt:
    look = Step("admin", sql.select(prey.table, ["ctid"], prey.where), quiet=True)

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        before, _, after = outcomes
        if before.rows and before.rows != after.rows:
            return Breach(f"another tenant's row in {relation.qualified} was overwritten")
        return None

    return Attempt(
        at=relation.qualified,
        attacker="A",
        steps=(look, Step("A", statement), look),
        judge=judge,
        control=(Step("B", same),),
        controlled=rightful(scene, relation, "UPDATE"),
        level=level(scene, relation),
        fix=f"give every permissive policy of {relation.qualified} for UPDATE a USING that "
        "compares the tenant column with the context",
        repair=lambda: walled(scene, relation),
    )
