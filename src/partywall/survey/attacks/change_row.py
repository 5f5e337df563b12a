"""PW224: another tenant's row changed where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, Unclear, attack
from partywall.survey.mending.walls import walled
from partywall.survey.surfaces import (
    UPDATABLE,
    attackers,
    level,
    plain_column,
    reachable,
    relations,
    rightful,
    row,
    too_many,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.identity import Who


@attack("PW224", effect="write")
def change_row(scene: Scene) -> Iterator[Attempt]:
    """Change a column of B's row, by its key and with no condition at all.

    An UPDATE policy whose USING does not look at the tenant, or none because row security is off.

    Affected:
        Tables with a policy for UPDATE that was written for somebody else: a worker, a support
        desk.

    Breaches:
        CREATE POLICY edit ON shop.invoices FOR UPDATE TO app USING (true);

    Holds:
        CREATE POLICY edit ON shop.invoices FOR UPDATE TO app
          USING (tenant = current_setting('app.tenant', true));

    Fix:
        Compare the tenant in the USING of every permissive policy for UPDATE, or add a
        restrictive one: permissive policies are ORed.

    Source:
        https://www.postgresql.org/docs/current/sql-createpolicy.html
    """
    for relation in relations(scene):
        if row(scene, relation, "B") is None or not relation.updatable & UPDATABLE:
            continue
        for who in attackers(scene):
            if reachable(scene, who, relation, "UPDATE"):
                yield from _attempt(scene, relation, who)


def _attempt(scene: Scene, relation: Relation, who: Who) -> Iterator[Attempt]:
    prey, sample = row(scene, relation, "B"), row(scene, relation, "A")
    column, own_column = plain_column(scene, relation, who), plain_column(scene, relation, "B")
    if prey is None or column is None or own_column is None or column.quoted not in prey.values:
        return
    value = (sample or prey).values[column.quoted]
    change = {column.quoted: value}
    where_it_is = sql.select(prey.table, ["ctid"], prey.where)
    attempts = [Step(who, sql.update(relation.qualified, change, prey.where))]
    if not too_many(scene, relation):
        attempts += [
            Step(who, sql.update(relation.qualified, change)),
            Step(who, sql.update(relation.qualified, change), loose=True, quiet=True),
        ]

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        before, after = outcomes[0], outcomes[-1]
        if before.ok and after.ok and before.rows and before.rows != after.rows:
            return Breach(f"another tenant's row in {relation.qualified} was changed")
        if too_many(scene, relation):
            return Unclear(
                f"a bare UPDATE would lock all of about {relation.rows:.0f} rows: not tried on the "
                "target without --destructive"
            )
        return None

    own = {own_column.quoted: prey.values[own_column.quoted]}
    yield Attempt(
        at=relation.qualified,
        attacker=who,
        steps=(
            Step("admin", where_it_is, quiet=True),
            *attempts,
            Step("admin", where_it_is, quiet=True),
        ),
        judge=judge,
        control=(Step("B", sql.update(relation.qualified, own, prey.where)),),
        controlled=rightful(scene, relation, "UPDATE"),
        level=level(scene, relation, who),
        fix=f"give every permissive policy of {relation.qualified} for UPDATE a USING that "
        "compares the tenant column with the context",
        repair=lambda: walled(scene, relation),
    )
