"""PW246: REFERENCES lets A build a foreign key that answers whether B has a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.capability import BUILT, gentle, victims, workshop
from partywall.survey.mending.privileges import revoked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Column, Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.world import Row

VIOLATED = "23503"


@attack("PW246", effect="detect", level="sql")
def reference_probe(scene: Scene) -> Iterator[Attempt]:
    """Create a table with a foreign key to a tenant-owned one, and insert a key of B into it.

    Referential checks look past row security: a key that B has is accepted, one that nobody has
    is refused. It takes REFERENCES on the columns and a schema to create in. On a target in use
    the server is asked for both privileges instead, since ADD FOREIGN KEY locks the table.

    Affected:
        Databases where GRANT ALL was said of tables, with a schema that the application's login
        may create in.

    Breaches:
        CREATE SCHEMA scratch AUTHORIZATION app;
        GRANT REFERENCES ON shop.invoices TO app;

    Holds:
        CREATE SCHEMA scratch AUTHORIZATION app;

    Fix:
        Take REFERENCES from the login: only who makes tables needs it.

    Source:
        https://www.postgresql.org/docs/current/ddl-rowsecurity.html
        https://www.postgresql.org/docs/current/ddl-priv.html
    """
    place = workshop(scene)
    if place is None:
        return
    for relation, held in victims(scene):
        columns = _key(scene, relation)
        spare = scene.world.spare.get((relation.qualified, "B"))
        if columns and spare is not None and scene.usable("A", relation):
            yield _attempt(scene, relation, columns, (held, spare), place)


def _key(scene: Scene, relation: Relation) -> tuple[Column, ...]:
    """The columns of a unique key that A may reference and whose values tell rows apart."""
    allowed = {c.name for c in scene.grants("A").columns_for("REFERENCES", relation)}
    held, spare = (
        rows.get((relation.qualified, "B")) for rows in (scene.world.planted, scene.world.spare)
    )
    for constraint in relation.constraints:
        if constraint.kind not in {"primary", "unique"} or constraint.deferrable:
            continue
        columns = tuple(relation.by_name[name] for name in constraint.columns)
        if not set(constraint.columns) <= allowed or held is None or spare is None:
            continue
        if any(held.values.get(c.quoted) != spare.values.get(c.quoted) for c in columns) and all(
            held.values.get(c.quoted) is not None for c in columns
        ):
            return columns
    return ()


def _attempt(
    scene: Scene,
    relation: Relation,
    columns: tuple[Column, ...],
    rows: tuple[Row, Row],
    place: tuple[tuple[Step, ...], str],
) -> Attempt:
    prepare, schema = place
    names = ", ".join(column.quoted for column in columns)
    table = f"{schema}.{BUILT}"
    listed = ", ".join(f"{column.quoted} {column.type}" for column in columns)
    create = (
        f"CREATE TABLE {table} ({listed}, FOREIGN KEY ({names}) "
        f"REFERENCES {relation.qualified} ({names}))"
    )
    probes = [sql.insert(table, {c.quoted: r.values[c.quoted] for c in columns}) for r in rows]
    ask = " AND ".join(
        [
            f"has_column_privilege({sql.literal(relation.qualified)}, {sql.literal(c.name)}, "
            "'REFERENCES')"
            for c in columns
        ]
    )
    asked = gentle(scene)
    steps = (
        (Step("A", f"SELECT {ask}"),)
        if asked
        else (*prepare, Step("A", create), *(Step("A", probe) for probe in probes))
    )

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if asked:
            may = outcomes[0].scalar == "t"
            because = f"the role may build a foreign key to {relation.qualified} ({names})"
            return Breach(f"{because}, which tells which keys stand there") if may else None
        if outcomes[-2].ok and outcomes[-1].sqlstate == VIOLATED:
            return Breach(
                f"a foreign key of A's own to {relation.qualified} ({names}) takes a key that "
                "another tenant has and refuses one that nobody has"
            )
        return None

    return Attempt(
        at=f"{relation.qualified} ({names})",
        attacker="A",
        steps=steps,
        judge=judge,
        repair=lambda: revoked(scene, ("REFERENCES",), relation),
    )
