"""PW203: rows in another state than the usual one are open to other tenants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.mending.walls import walled
from partywall.survey.surfaces import (
    belonging,
    plain_column,
    reachable,
    relations,
    rightful,
    row,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Column, Relation
    from partywall.survey.attack import Judgement, Outcome, Scene

STATES = 6


@attack("PW203", effect="read")
def variant_rows(scene: Scene) -> Iterator[Attempt]:
    """Put a row of B into each state that policies speak of, then read and change it as A.

    ``tenant = mine AND state = 'open' OR state = 'archived'`` holds for the rows of today; the
    archived ones are everybody's. The states are the constants policies compare a column with,
    both values of a flag, and NULL.

    Affected:
        Policies that ask for more than the tenant: a status, a flag, a date.

    Breaches:
        ALTER POLICY own ON shop.invoices
          USING (tenant = current_setting('app.tenant', true)
            AND status = 'draft' OR status = 'sent');

    Holds:
        ALTER POLICY own ON shop.invoices
          USING (tenant = current_setting('app.tenant', true)
            AND (status = 'draft' OR status = 'sent'));

    Fix:
        Put brackets around the alternatives and AND the tenant to all of them, or add a
        restrictive policy that compares the tenant alone.

    Source:
        https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-PRECEDENCE
    """
    for relation in relations(scene):
        held = row(scene, relation, "B", spare=True)
        if held is None or not relation.stores_rows or not relation.policies:
            continue
        ours = set(belonging(scene, relation, held))
        for column in relation.columns:
            if column.quoted in ours or column.quoted not in held.written or column.generated:
                continue
            for state in _states(scene, relation, column, held.values[column.quoted]):
                if reachable(scene, "A", relation, "SELECT"):
                    yield _attempt(scene, relation, column, state)


def _states(
    scene: Scene, relation: Relation, column: Column, usual: str | None
) -> list[str | None]:
    """Values of *column* that policies of *relation* treat apart, without the usual one."""
    texts = " ".join(t for p in relation.policies for t in (p.using, p.check) if t)
    if column.name not in texts:
        return []
    found: list[str | None] = list(
        scene.model.policy_literals.get((relation.qualified, column.name), ())
    )
    if column.base == "bool":
        found += ["t", "f"]
    if not column.not_null:
        found.append(None)
    return [state for state in dict.fromkeys(found) if state != usual][:STATES]


def _attempt(scene: Scene, relation: Relation, column: Column, state: str | None) -> Attempt:
    held, standing = row(scene, relation, "B", spare=True), row(scene, relation, "B")
    assert held is not None  # noqa: S101 - the planner has looked
    public = scene.public.get(relation.qualified)
    where = held.where + (f" AND ({public}) IS NOT TRUE" if public else "")
    steps = [
        Step("admin", held.insert(changes={column.quoted: state}), loose=True),
        Step("A", sql.select(relation.qualified, (), where)),
    ]
    changed = plain_column(scene, relation, "A")
    if changed is not None and changed.quoted in held.values and changed.quoted != column.quoted:
        value = {changed.quoted: held.values[changed.quoted]}
        steps.append(Step("A", sql.update(relation.qualified, value, held.where)))

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        planted, read, *rest = outcomes
        if not planted.ok:
            return None
        if read.ok and read.rows:
            return Breach(f"rows of {relation.qualified} with {column.name} = {state} are open")
        if rest and rest[0].ok and rest[0].count > 0:
            because = f"rows of {relation.qualified} with {column.name} = {state} may be changed"
            return Breach(because, "write")
        return None

    control = sql.select(relation.qualified, (), standing.where if standing else "")
    return Attempt(
        at=relation.qualified,
        attacker="A",
        steps=tuple(steps),
        judge=judge,
        control=(Step("B", control),) if standing else (),
        controlled=rightful(scene, relation, "SELECT"),
        fix=f"put brackets around the alternatives in the policies of {relation.qualified}, "
        "and AND the tenant to all of them",
        repair=lambda: walled(scene, relation),
    )
