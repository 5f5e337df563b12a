"""PW245: TRUNCATE removes every tenant's rows; row security does not apply to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.mending.privileges import disowned, revoked
from partywall.survey.surfaces import level, present, reachable, relations, row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.world import Row


@attack("PW245", effect="destroy")
def truncate_rows(scene: Scene) -> Iterator[Attempt]:
    """Truncate tables that hold rows of B.

    Policies are not asked. On a target in use the lock would stop everyone: there the server is
    asked whether the role may.

    Affected:
        Databases where GRANT ALL was said of tables, or whose application empties some.

    Breaches:
        GRANT TRUNCATE ON shop.invoices TO app;

    Holds:
        REVOKE TRUNCATE ON shop.invoices FROM app;

    Fix:
        Grant what an application needs, SELECT, INSERT, UPDATE and DELETE, not ALL.

    Source:
        https://www.postgresql.org/docs/current/ddl-rowsecurity.html (operations on the whole table)
    """
    for relation in relations(scene):
        prey = row(scene, relation, "B")
        if (
            prey is not None
            and relation.stores_rows
            and reachable(scene, "A", relation, "TRUNCATE")
        ):
            yield _attempt(scene, relation, prey)


def _by_ownership(scene: Scene, relation: Relation) -> bool:
    """Whether the role may truncate only as the table's owner: no application does so by habit."""
    role = scene.snapshot.roles.get(scene.identities["A"].role)
    return role is not None and relation.owner in role.acts_as


def _attempt(scene: Scene, relation: Relation, prey: Row) -> Attempt:
    asked = scene.place == "target" and not scene.destructive
    question = f"SELECT has_table_privilege({sql.literal(relation.qualified)}, 'TRUNCATE')"
    steps = [Step("A", question)]
    if not asked:
        steps += [
            Step("A", f"TRUNCATE {relation.qualified}"),
            Step("A", f"TRUNCATE {relation.qualified} CASCADE"),
            Step("admin", present(prey.table, prey), quiet=True),
        ]

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if asked and outcomes[0].scalar == "t":
            return Breach(f"the role may TRUNCATE {relation.qualified}, whatever its policies say")
        if not asked and outcomes[-1].scalar == "0":
            return Breach(f"TRUNCATE removed every tenant's rows from {relation.qualified}")
        return None

    return Attempt(
        at=relation.qualified,
        attacker="A",
        steps=tuple(steps),
        judge=judge,
        control=(Step("B", present(prey.table, prey)),),
        level="sql" if _by_ownership(scene, relation) else level(scene, relation),
        fix=f"let a role that no application logs in as own {relation.qualified}",
        repair=lambda: revoked(scene, ("TRUNCATE",), relation) or disowned(scene, relation),
    )
