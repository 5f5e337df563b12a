"""PW227: somebody makes himself a member of another tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.mending.privileges import revoked
from partywall.survey.surfaces import (
    insertable,
    level,
    marks,
    reachable,
    relations,
    rightful,
    row,
    tenant_column,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.world import Row

DOORS = 12


@attack("PW227", effect="read")
def join_tenant(scene: Scene) -> Iterator[Attempt]:
    """Write a row that names the acting user and B's tenant, then read what that opens.

    A membership table whose policy asks only for the own user id lets everybody join every
    tenant. Tried by INSERT and by UPDATE of the own row.

    Affected:
        Applications whose users write memberships themselves: sign-up, invitations, leaving.

    Breaches:
        CREATE TABLE shop.members (tenant text, person text, PRIMARY KEY (tenant, person));
        ALTER TABLE shop.members ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON shop.members TO app
          USING (person = current_setting('app.person', true));
        GRANT SELECT, INSERT ON shop.members TO app;
        ALTER POLICY own ON shop.invoices USING (tenant IN (
          SELECT m.tenant FROM shop.members m
          WHERE m.person = current_setting('app.person', true)));

    Holds:
        CREATE TABLE shop.members (tenant text, person text, PRIMARY KEY (tenant, person));
        ALTER TABLE shop.members ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON shop.members FOR SELECT TO app
          USING (person = current_setting('app.person', true));
        GRANT SELECT, INSERT ON shop.members TO app;
        ALTER POLICY own ON shop.invoices USING (tenant IN (
          SELECT m.tenant FROM shop.members m
          WHERE m.person = current_setting('app.person', true)));

    Fix:
        Take the right to write memberships from the login, and let a function add who was
        invited.

    Source:
        https://www.postgresql.org/docs/current/ddl-rowsecurity.html
    """
    for relation in relations(scene):
        column = tenant_column(scene, relation)
        own, theirs = row(scene, relation, "A", spare=True), row(scene, relation, "B", spare=True)
        if column is None or own is None or theirs is None or not relation.stores_rows:
            continue
        personal = personal_columns(scene, relation, column.quoted)
        if not personal:
            continue
        if reachable(scene, "A", relation, "INSERT"):
            join = theirs.insert(changes=personal, omit=insertable(scene, relation, "A", theirs))
            yield _attempt(scene, relation, join, "INSERT", theirs)
        if reachable(scene, "A", relation, "UPDATE"):
            standing = row(scene, relation, "A") or own
            tenant = {column.quoted: theirs.values[column.quoted]}
            join = sql.update(relation.qualified, tenant, standing.where)
            yield _attempt(scene, relation, join, "UPDATE", theirs)


def personal_columns(scene: Scene, relation: Relation, tenant: str) -> dict[str, str | None]:
    """Columns that hold who acts, with A's value."""
    found: dict[str, str | None] = {}
    for name in scene.model.contexts_by_table.get(relation.qualified, ()):
        column = relation.by_name[name].quoted if name in relation.by_name else ""
        values = scene.world.contexts.get((relation.qualified, column), {})
        if column != tenant and "A" in values and values["A"] != values.get("B"):
            found[column] = values["A"]
    return found


def _attempt(scene: Scene, relation: Relation, join: str, command: str, theirs: Row) -> Attempt:
    doors = [
        other
        for other in relations(scene)
        if other.qualified in scene.model.owned
        and other.oid != relation.oid
        and row(scene, other, "B")
        and reachable(scene, "A", other, "SELECT")
    ][:DOORS]
    tokens = marks(scene, "B")
    look = []
    for door in doors:
        held = row(scene, door, "B")
        look.append(Step("A", sql.select(door.qualified, (), held.where if held else "")))

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        joined, *read = outcomes
        if not joined.ok or joined.count < 1:
            return None
        for door, outcome in zip(doors, read, strict=True):
            if outcome.shows(tokens):
                return Breach(
                    f"by a row in {relation.qualified} the user joined another tenant and read "
                    f"{door.qualified}"
                )
        return None

    return Attempt(
        at=relation.qualified,
        attacker="A",
        steps=(Step("A", join), *look),
        judge=judge,
        control=(
            Step(
                "B", sql.select(relation.qualified, (), (row(scene, relation, "B") or theirs).where)
            ),
        ),
        controlled=rightful(scene, relation, "SELECT"),
        level=level(scene, relation),
        fix=f"let nobody {command} on {relation.qualified} who is no member of that tenant already",
        repair=lambda: revoked(scene, (command,), relation),
    )
