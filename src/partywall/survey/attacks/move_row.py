"""PW222: a row of one's own handed over to another tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.mending.walls import walled
from partywall.survey.surfaces import (
    UPDATABLE,
    base_table,
    belonging,
    level,
    lists_tenants,
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


@attack("PW222", effect="write")
def move_row(scene: Scene) -> Iterator[Attempt]:
    """Update an own row so that it belongs to B: its tenant column, or what it points at.

    An UPDATE policy with ``WITH CHECK (true)`` allows it, and so does one whose check looks at
    something other than the tenant. With a WHERE clause the SELECT policies hold for the new row
    as well; without one they are not asked, so both forms are tried.

    Affected:
        Tables with a policy for UPDATE whose USING and WITH CHECK differ.

    Breaches:
        CREATE POLICY edit ON shop.invoices FOR UPDATE TO app
          USING (tenant = current_setting('app.tenant', true)) WITH CHECK (true);

    Holds:
        CREATE POLICY edit ON shop.invoices FOR UPDATE TO app
          USING (tenant = current_setting('app.tenant', true));

    Fix:
        Leave WITH CHECK out, then USING holds for the new row too, or compare the tenant there as
        well.

    Source:
        https://www.postgresql.org/docs/current/sql-createpolicy.html
    """
    for relation in relations(scene):
        own, other = (row(scene, relation, who, spare=True) for who in ("A", "B"))
        if own is None or other is None or not relation.updatable & UPDATABLE:
            continue
        if lists_tenants(scene, relation):
            continue  # a tenant can't become another: its key is taken
        theirs, ours = belonging(scene, relation, other), belonging(scene, relation, own)
        granted = {c.quoted for c in scene.grants("A").columns_for("UPDATE", relation)}
        changes = {c: v for c, v in theirs.items() if c in granted and v != ours.get(c)}
        if changes and reachable(scene, "A", relation, "UPDATE"):
            yield _attempt(scene, relation, changes)


def _attempt(scene: Scene, relation: Relation, changes: dict[str, str | None]) -> Attempt:
    own = row(scene, relation, "A", spare=True)
    theirs = row(scene, relation, "B", spare=True)
    assert own is not None  # noqa: S101 - the planner has looked
    assert theirs is not None  # noqa: S101 - likewise
    base = base_table(scene, relation) or relation
    moved = {**own.key, **belonging(scene, base, theirs)}
    mine = {name: theirs.values[name] for name in changes}

    attempts = [Step("A", sql.update(relation.qualified, changes, own.where))]
    if not too_many(scene, relation):
        attempts += [
            Step("A", sql.update(relation.qualified, changes)),
            Step("A", sql.update(relation.qualified, changes), loose=True, quiet=True),
        ]

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[0].ok and outcomes[-1].scalar == "1":
            return Breach(f"a row of {relation.qualified} was moved to another tenant")
        return None

    return Attempt(
        at=relation.qualified,
        attacker="A",
        steps=(
            Step("admin", own.insert(), quiet=True, loose=True),
            *attempts,
            Step("admin", sql.select(own.table, ["count(*)"], sql.conditions(moved)), quiet=True),
        ),
        judge=judge,
        control=(
            Step("admin", theirs.insert(), quiet=True, loose=True),
            Step("B", sql.update(relation.qualified, mine, theirs.where)),
        ),
        controlled=rightful(scene, relation, "UPDATE"),
        level=level(scene, relation),
        fix=f"give every permissive policy of {relation.qualified} for UPDATE a WITH CHECK that "
        "compares the tenant column with the context",
        repair=lambda: walled(scene, relation),
    )
