"""PW231: a collision tells that another tenant holds a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.expressions import columns_in
from partywall.survey.mending.keys import led_by_tenant
from partywall.survey.surfaces import (
    belonging,
    insertable,
    level,
    lists_tenants,
    reachable,
    relations,
    rightful,
    row,
    spot,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Index, Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.world import Row

COLLISIONS = {"23505", "23P01"}


@attack("PW231", effect="detect")
def unique_across_tenants(scene: Scene) -> Iterator[Attempt]:
    """Give an own row a value that B has, and one that nobody has; compare the answers.

    Unique and exclusion constraints, primary keys and unique expressions see all rows: only a key
    led by the tenant keeps the answers alike. Keys that nobody can guess (random uuids) tell
    nothing to somebody who does not know them already, and are left alone.

    Affected:
        Tables of all tenants with a unique key on something that people choose: numbers, names,
        addresses.

    Breaches:
        ALTER TABLE shop.invoices ADD UNIQUE (number);

    Holds:
        ALTER TABLE shop.invoices ADD UNIQUE (tenant, number);

    Fix:
        Lead the key by the tenant column; what must be unique among all tenants is then accepted
        with a reason.

    Source:
        https://www.postgresql.org/docs/current/ddl-rowsecurity.html (covert channels)
    """
    for relation in relations(scene):
        own, other = row(scene, relation, "A", spare=True), row(scene, relation, "B")
        if own is None or other is None or not relation.stores_rows or relation.is_partition:
            continue
        for index in relation.indexes:
            if index.unique or index.exclusion:
                yield from _attempt(scene, relation, index, own, other)


def _attempt(
    scene: Scene, relation: Relation, index: Index, own: Row, other: Row
) -> Iterator[Attempt]:
    names = [*filter(None, index.columns), *columns_in(index.expressions)]
    columns = [relation.by_name[name] for name in dict.fromkeys(names) if name in relation.by_name]
    ours = belonging(scene, relation, own)
    compared = [c for c in columns if c.quoted not in ours and not c.generated]
    if not compared or any(c.unguessable for c in compared):
        return
    if any(c.quoted in ours and ours[c.quoted] != other.values.get(c.quoted) for c in columns):
        return  # the key is led by what says whose the row is
    change = {c.quoted: other.values.get(c.quoted) for c in compared}
    if all(value is None for value in change.values()):
        return
    left_out = insertable(scene, relation, "A", own)
    inserts = reachable(scene, "A", relation, "INSERT") and not lists_tenants(scene, relation)
    if inserts and not left_out & set(change):
        steps = (
            Step("A", own.insert(changes=change, omit=left_out)),
            Step("A", own.insert(omit=left_out)),
        )
        control = (Step("B", _spare(scene, relation)),)
        command = "INSERT"
    elif reachable(scene, "A", relation, "UPDATE"):
        mine = row(scene, relation, "A") or own
        free = {name: own.values[name] for name in change}
        steps = (
            Step("A", sql.update(relation.qualified, change, mine.where)),
            Step("A", sql.update(relation.qualified, free, mine.where)),
        )
        control = (Step("B", sql.update(relation.qualified, change, other.where)),)
        command = "UPDATE"
    else:
        return

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        taken, free = outcomes
        if taken.sqlstate in COLLISIONS and free.ok:
            shown = ", ".join(c.quoted for c in compared)
            return Breach(
                f"{index.name} refuses a value of {shown} only because another tenant has it"
            )
        return None

    yield Attempt(
        at=spot(relation, columns),
        attacker="A",
        steps=steps,
        judge=judge,
        control=control,
        controlled=rightful(scene, relation, command),
        level=level(scene, relation),
        fix=f"lead the key {index.name} by the tenant column",
        repair=lambda: led_by_tenant(scene, relation, index),
    )


def _spare(scene: Scene, relation: Relation) -> str:
    held = row(scene, relation, "B", spare=True)
    return held.insert(omit=insertable(scene, relation, "B", held)) if held else ""
