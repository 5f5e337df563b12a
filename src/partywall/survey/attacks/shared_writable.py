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
    from partywall.survey.identity import Who


@attack("PW252", effect="read")
def shared_writable(scene: Scene) -> Iterator[Attempt]:
    """Let B insert into a table that belongs to no tenant, and read it as A; or the other way.

    Reference data that tenants only read is shared by design. What tenants write is theirs:
    uploads, an outbox or a log that stayed outside of the walls shows it to everyone. Where A
    alone may write, it writes what the others take for granted.

    Affected:
        Tables without a tenant column that the application writes: uploads, jobs, logs, sessions.

    Breaches:
        CREATE TABLE shop.uploads (id uuid PRIMARY KEY, body text NOT NULL);
        GRANT SELECT, INSERT ON shop.uploads TO app;

    Holds:
        CREATE TABLE shop.uploads (id uuid PRIMARY KEY, body text NOT NULL);
        GRANT INSERT ON shop.uploads TO app;

    Fix:
        Give the table a tenant column and row security, or let the application only write it.

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
        ):
            ways: tuple[tuple[Who, Who], ...] = (("B", "A"), ("A", "B"))
            for writer, reader in ways:
                writes = reachable(scene, writer, relation, "INSERT")
                if writes and reachable(scene, reader, relation, "SELECT"):
                    yield _attempt(scene, relation, writer, reader)
                    break


def _attempt(scene: Scene, relation: Relation, writer: Who, reader: Who) -> Attempt:
    canary = scene.world.canaries[writer]
    granted = scene.grants(writer).columns_for("INSERT", relation)
    known = {
        name: value
        for name, value in named_values(scene, writer).items()
        if any(name in key.columns for key in relation.foreign_keys)
    }
    values = generated_row(granted, known, canary)
    told = [c for c in relation.columns if values.get(c.quoted) == canary]
    readable = scene.grants(reader).columns_for("SELECT", relation)
    condition = " OR ".join(
        f"{c.quoted}::text = {sql.literal(canary)}" for c in told if c in readable
    )
    columns = readable_columns(scene, reader, relation)
    insert = Step(writer, sql.insert(relation.qualified, values))
    read = Step(reader, sql.select(relation.qualified, columns, condition))
    count = Step(reader, sql.select(relation.qualified, ["count(*)"]))
    steps = (insert, read) if condition else (count, insert, count)

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        written = outcomes[-2]
        if written.refused or outcomes[-1].denied:
            return None
        if not written.ok:
            words = f"{written.message} ({written.sqlstate})"
            return Unclear(f"no row of {writer} could be written to see who reads it: {words}")
        if outcomes[-1].shows([canary]):
            if writer == "A":
                return Breach(
                    f"what one tenant writes to {relation.qualified} all others read", "write"
                )
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
