"""PW221: a row planted in another tenant's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.mending.walls import checked, walled
from partywall.survey.surfaces import (
    INSERTABLE,
    attackers,
    belonging,
    insertable,
    inserting,
    level,
    lists_tenants,
    newcomer,
    reachable,
    relations,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.identity import Who
    from partywall.survey.world import Row


@attack("PW221", effect="write")
def insert_as_other(scene: Scene) -> Iterator[Attempt]:
    """Insert a valid row that belongs to B, as A, with no context and with an empty one.

    Into tables and updatable views. A policy for INSERT with ``WITH CHECK (true)``, a policy with
    USING alone on another command, or a view without CHECK OPTION lets it through: B then works
    with data that A made up.

    Affected:
        Policies with a WITH CHECK of their own, or for INSERT alone, and views without CHECK
        OPTION.

    Breaches:
        ALTER POLICY own ON shop.invoices WITH CHECK (true);

    Holds:
        ALTER POLICY own ON shop.invoices WITH CHECK (tenant = current_setting('app.tenant', true));

    Fix:
        Give every permissive policy for INSERT a WITH CHECK that compares the tenant column with
        the context; a view that filters takes WITH CHECK OPTION.

    Source:
        https://www.postgresql.org/docs/current/sql-createpolicy.html
    """
    for relation in relations(scene):
        found = newcomer(scene, relation, "B")
        if found is None or not relation.updatable & INSERTABLE or lists_tenants(scene, relation):
            continue
        for who in attackers(scene):
            if reachable(scene, who, relation, "INSERT") and _tells(scene, relation, found[0]):
                yield _attempt(scene, relation, *found, who)


def _tells(scene: Scene, relation: Relation, held: Row) -> bool:
    """Whether the row's values, or the place of the table, say that it is B's."""
    owner = scene.model.owned.get(held.table)
    return bool(belonging(scene, relation, held)) or (owner is not None and owner.kind == "schema")


def _attempt(
    scene: Scene, relation: Relation, held: Row, away: tuple[Step, ...], who: Who
) -> Attempt:
    into = "" if relation.stores_rows else relation.qualified
    owner = {**held.key, **belonging(scene, relation, held)}
    look = Step("admin", sql.select(held.table, ["count(*)"], sql.conditions(owner)), quiet=True)
    seen = Step("B", sql.select(relation.qualified, ["count(*)"], sql.conditions(held.key)))
    statement = held.insert(into=into, omit=insertable(scene, relation, who, held))
    control, controlled = inserting(scene, relation)

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        *_, inserted, there, _ = outcomes
        if inserted.ok and inserted.count > 0 and there.scalar == "1":
            return Breach(f"a row in another tenant's name was accepted by {relation.qualified}")
        return None

    return Attempt(
        at=relation.qualified,
        attacker=who,
        steps=(*away, Step(who, statement), look, seen),
        judge=judge,
        control=control,
        controlled=controlled,
        level=level(scene, relation, who),
        repair=lambda: checked(scene, relation) or walled(scene, relation),
        fix=f"give every permissive policy of {relation.qualified} for INSERT a WITH CHECK that "
        "compares the tenant column with the context",
    )
