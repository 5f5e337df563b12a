"""PW225: another tenant's row deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, Unclear, attack
from partywall.survey.mending.walls import walled
from partywall.survey.surfaces import (
    DELETABLE,
    attackers,
    level,
    present,
    prey,
    reachable,
    relations,
    rightful,
    too_many,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.identity import Who


@attack("PW225", effect="destroy")
def delete_row(scene: Scene) -> Iterator[Attempt]:
    """Delete B's row, by its key and with no condition at all.

    A bare DELETE does not ask the SELECT policies: ``FOR DELETE USING (true)`` alone decides.

    Affected:
        Tables with a policy for DELETE of their own, for a clean-up for instance.

    Breaches:
        CREATE POLICY tidy ON shop.invoices FOR DELETE TO app USING (true);

    Holds:
        CREATE POLICY tidy ON shop.invoices FOR DELETE TO app
          USING (tenant = current_setting('app.tenant', true));

    Fix:
        Compare the tenant in the USING of every permissive policy for DELETE, or give the cleaner
        a role of its own.

    Source:
        https://www.postgresql.org/docs/current/sql-createpolicy.html
    """
    for relation in relations(scene):
        if prey(scene, relation, "B") is None or not relation.updatable & DELETABLE:
            continue
        for who in attackers(scene):
            if reachable(scene, who, relation, "DELETE"):
                yield _attempt(scene, relation, who)


def _attempt(scene: Scene, relation: Relation, who: Who) -> Attempt:
    target = prey(scene, relation, "B")
    assert target is not None  # noqa: S101 - the planner has looked
    held, before = target
    look = Step("admin", present(held.table, held), quiet=True)
    attempts = [Step(who, sql.delete(relation.qualified, held.where))]
    if not too_many(scene, relation):
        attempts += [
            Step(who, sql.delete(relation.qualified)),
            Step(who, sql.delete(relation.qualified), loose=True, quiet=True),
        ]

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        standing, left = outcomes[len(before)], outcomes[-1]
        if standing.scalar == "1" and left.scalar == "0":
            return Breach(f"another tenant's row in {relation.qualified} was deleted")
        if too_many(scene, relation):
            return Unclear(
                f"a bare DELETE would lock all of about {relation.rows:.0f} rows: not tried on the "
                "target without --destructive"
            )
        return None

    return Attempt(
        at=relation.qualified,
        attacker=who,
        steps=(
            *before,
            look,
            *attempts,
            look,
        ),
        judge=judge,
        control=(
            *before,
            Step("B", sql.delete(relation.qualified, held.where), loose=not before),
        ),
        controlled=rightful(scene, relation, "DELETE"),
        level=level(scene, relation, who),
        fix=f"give every permissive policy of {relation.qualified} for DELETE a USING that "
        "compares the tenant column with the context",
        repair=lambda: walled(scene, relation),
    )
