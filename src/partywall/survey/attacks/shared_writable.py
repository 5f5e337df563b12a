"""PW252: a table of no tenant that tenants fill, and that all of them read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, Unclear, attack
from partywall.survey.capability import named_values, neighbours
from partywall.survey.generated import generated_row
from partywall.survey.surfaces import reachable, readable_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judgement, Outcome, Scene


@attack("PW252", effect="read")
def shared_writable(scene: Scene) -> Iterator[Attempt]:
    """Let B insert into a table that belongs to no tenant, and read it as A.

    Reference data that tenants only read is shared by design. What tenants write is theirs:
    uploads, an outbox or a log that stayed outside of the walls shows it to everyone.

    Source:
        https://www.postgresql.org/docs/current/ddl-rowsecurity.html
    """
    if not neighbours(scene):
        return
    for relation in scene.snapshot.tables:
        if (
            relation.qualified in scene.model.shared
            and relation.qualified not in scene.public
            and not relation.is_partition
            and reachable(scene, "B", relation, "INSERT")
            and reachable(scene, "A", relation, "SELECT")
        ):
            yield _attempt(scene, relation)


def _attempt(scene: Scene, relation: Relation) -> Attempt:
    canary = scene.world.canaries["B"]
    granted = scene.grants("B").columns_for("INSERT", relation)
    known = {
        name: value
        for name, value in named_values(scene, "B").items()
        if any(name in key.columns for key in relation.foreign_keys)
    }
    values = generated_row(granted, known, canary)
    told = [c for c in relation.columns if values.get(c.quoted) == canary]
    readable = scene.grants("A").columns_for("SELECT", relation)
    condition = " OR ".join(
        f"{c.quoted}::text = {sql.literal(canary)}" for c in told if c in readable
    )
    columns = readable_columns(scene, "A", relation)
    insert = Step("B", sql.insert(relation.qualified, values))
    read = Step("A", sql.select(relation.qualified, columns, condition))
    count = Step("A", sql.select(relation.qualified, ["count(*)"]))
    steps = (insert, read) if condition else (count, insert, count)

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        written = outcomes[-2]
        if written.denied or outcomes[-1].denied:
            return None
        if not written.ok:
            if written.refused:
                return None
            words = f"{written.message} ({written.sqlstate})"
            return Unclear(f"no row of B could be written to see who reads it: {words}")
        if outcomes[-1].shows([canary]):
            return Breach(f"what another tenant writes to {relation.qualified} is read by all")
        if not condition and outcomes[0].scalar != outcomes[-1].scalar:
            return Breach(f"{relation.qualified} tells how much others write to it", "detect")
        return None

    return Attempt(
        at=relation.qualified,
        attacker="A",
        steps=steps,
        judge=judge,
        fix=f"give {relation.qualified} a tenant column and row security, or move it into each "
        "tenant's schema",
    )
