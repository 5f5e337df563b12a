"""PW223: another tenant's rows taken over, and then read as one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, Unclear, attack
from partywall.survey.mending.walls import walled
from partywall.survey.surfaces import (
    UPDATABLE,
    attackers,
    belonging,
    level,
    prey,
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


@attack("PW223", effect="write")
def take_row(scene: Scene) -> Iterator[Attempt]:
    """Update B's row so that it belongs to A, by its key and with no condition at all.

    Without a WHERE clause (and without RETURNING) PostgreSQL does not ask the SELECT policies:
    ``FOR UPDATE USING (true)`` then lets a bare UPDATE restamp every tenant's rows.

    Affected:
        Tables with a policy for UPDATE that looks at the new row only.

    Breaches:
        CREATE POLICY claim ON shop.invoices FOR UPDATE TO app
          USING (true) WITH CHECK (tenant = current_setting('app.tenant', true));

    Holds:
        CREATE POLICY claim ON shop.invoices FOR UPDATE TO app
          USING (tenant = current_setting('app.tenant', true));

    Fix:
        Compare the tenant in USING as well: WITH CHECK looks at the new row only.

    Source:
        https://www.postgresql.org/docs/current/sql-createpolicy.html (notes on SELECT policies)
    """
    for relation in relations(scene):
        own, target = row(scene, relation, "A"), prey(scene, relation, "B")
        if own is None or target is None or not relation.updatable & UPDATABLE:
            continue
        granted = {c.quoted for c in scene.grants("A").columns_for("UPDATE", relation)}
        changes = {
            name: value
            for name, value in belonging(scene, relation, own).items()
            if name in granted and value != target[0].values.get(name)
        }
        for who in attackers(scene):
            if changes and reachable(scene, who, relation, "UPDATE"):
                yield _attempt(scene, relation, changes, who)


def _attempt(scene: Scene, relation: Relation, changes: dict[str, str | None], who: Who) -> Attempt:
    target = prey(scene, relation, "B")
    assert target is not None  # noqa: S101 - the planner has looked
    held, before = target
    renamed = _renamed(relation, set(changes))
    bare = sql.update(relation.qualified, changes) + renamed
    keyed = sql.update(relation.qualified, changes, held.where)
    untouched = {**held.key, **belonging(scene, relation, held)}
    look = Step(
        "admin", sql.select(held.table, ["count(*)"], sql.conditions(untouched)), quiet=True
    )
    there, read = look, Step(who, sql.select(relation.qualified))
    attempts = [Step(who, keyed)]
    if not too_many(scene, relation):
        attempts += [Step(who, bare), Step(who, bare, loose=True, quiet=True)]

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        standing, left, shown = outcomes[len(before)], *outcomes[-2:]
        if standing.scalar == "1" and left.scalar == "0":
            if shown.shows(held.tokens):
                because = f"rows of another tenant in {relation.qualified} were taken and read"
                return Breach(because, "read")
            return Breach(f"rows of another tenant in {relation.qualified} were taken")
        if too_many(scene, relation):
            return Unclear(
                f"a bare UPDATE would lock all of about {relation.rows:.0f} rows: not tried on the "
                "target without --destructive"
            )
        return None

    control = sql.update(
        relation.qualified, {name: held.values[name] for name in changes}, held.where
    )
    return Attempt(
        at=relation.qualified,
        attacker=who,
        steps=(*before, there, *attempts, look, read),
        judge=judge,
        control=(*before, Step("B", control, loose=not before)),
        controlled=rightful(scene, relation, "UPDATE"),
        level=level(scene, relation, who),
        fix=f"give every permissive policy of {relation.qualified} for UPDATE a USING that "
        "compares the tenant column with the context",
        repair=lambda: walled(scene, relation),
    )


def _renamed(relation: Relation, changed: set[str]) -> str:
    """Further assignments that keep unique texts apart when many rows become one tenant's."""
    unique = {n for index in relation.indexes if index.unique for n in index.columns}
    ours = {n for key in relation.foreign_keys for n in key.columns}
    names = [
        c.quoted
        for c in relation.columns
        if c.name in unique - ours
        and c.quoted not in changed
        and c.base in {"text", "varchar"}
        and (c.length or 99) >= 36  # noqa: PLR2004 - a uuid's text
    ]
    return "".join(f", {name} = gen_random_uuid()::text" for name in names)
