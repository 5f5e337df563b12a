"""PW250: what stands in A's schema still points into B's."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.capability import call
from partywall.survey.expressions import relations_in
from partywall.survey.generated import generated_row
from partywall.survey.mending.schemas import (
    drawing_at_home,
    looking_at_home,
    pointing_at_home,
)
from partywall.survey.surfaces import insertable, level, reachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Constraint, Function, Relation
    from partywall.survey.attack import Judge, Judgement, Level, Outcome, Scene

VIOLATED = "23503"


@attack("PW250", effect="read")
def cross_schema(scene: Scene) -> Iterator[Attempt]:
    """Follow sequences, triggers, functions and foreign keys of A's schema into B's.

    A schema cloned from another keeps pointing at it: a default draws B's numbers, a trigger
    writes B's log, a function has B's schema as its fixed search_path, a foreign key asks B's
    table. Reading B's tables and views by their qualified names is left to the attacks on rows.

    Affected:
        A schema for each tenant, made by cloning another's or by a script with names in it.

    Applications:
        a schema each, a schema each

    Breaches:
        CREATE FUNCTION acme.memos() RETURNS SETOF text LANGUAGE sql STABLE
          SECURITY DEFINER SET search_path = globex, pg_temp AS 'SELECT memo FROM orders';

    Holds:
        CREATE FUNCTION acme.memos() RETURNS SETOF text LANGUAGE sql STABLE
          SECURITY DEFINER SET search_path = acme, pg_temp AS 'SELECT memo FROM orders';

    Fix:
        Let what stands in a tenant's schema name its own schema only; make schemas from a script
        and not from a copy.

    Source:
        https://www.postgresql.org/docs/current/ddl-schemas.html
        https://www.postgresql.org/docs/current/sql-createtable.html (LIKE … INCLUDING DEFAULTS)
    """
    schemas = scene.model.schemas
    if not {"A", "B"} <= set(schemas):
        return
    for relation in scene.snapshot.tables:
        if relation.schema == schemas["A"]:
            yield from _sequences(scene, relation)
            yield from _triggers(scene, relation)
            for key in relation.foreign_keys:
                yield from _reference(scene, relation, key)
    yield from _functions(scene)


def _sequences(scene: Scene, relation: Relation) -> Iterator[Attempt]:
    """A's insert draws a number from a sequence that B's tables draw from too."""
    theirs = scene.model.schemas["B"]
    own = scene.world.spare.get((relation.qualified, "A"))
    if own is None or not reachable(scene, "A", relation, "INSERT"):
        return
    for sequence in scene.snapshot.sequences.values():
        columns = [name for oid, name in sequence.users if oid == relation.oid]
        users = {scene.snapshot.relations[oid].schema for oid, _ in sequence.users
                 if oid in scene.snapshot.relations}  # fmt: skip
        if not columns or (sequence.schema != theirs and theirs not in users):
            continue
        column = relation.by_name[columns[0]].quoted
        if scene.place == "target":  # a number once drawn is not given back
            question = f"SELECT has_sequence_privilege({sequence.oid}, 'USAGE')"
            steps: tuple[Step, ...] = (Step("A", question),)
        else:
            left_out = {column, *insertable(scene, relation, "A", own)}
            stand = sql.select(sequence.qualified, ["last_value", "is_called"])
            watch = Step("admin", stand, quiet=True)
            draw = Step("A", f"{own.insert(omit=left_out)} RETURNING {column}")
            steps = (watch, draw, watch)
        yield Attempt(
            at=sequence.qualified,
            attacker="A",
            steps=steps,
            judge=_drawn(sequence.qualified, relation.qualified),
            effect="detect",
            fix=f"let {relation.qualified}.{column} draw from a sequence in "
            f"{scene.model.schemas['A']}",
            repair=partial(drawing_at_home, scene, relation, column, sequence),
        )


def _drawn(sequence: str, table: str) -> Judge:
    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        asked = len(outcomes) == 1
        moved = not asked and outcomes[1].ok and outcomes[0].rows != outcomes[2].rows
        if moved or (asked and outcomes[0].scalar == "t"):
            return Breach(f"inserts into {table} draw from {sequence}, and tell how far B is")
        return None

    return judge


def _triggers(scene: Scene, relation: Relation) -> Iterator[Attempt]:
    """A's insert, with A's canary, ends up in a table of B's schema."""
    own = scene.world.spare.get((relation.qualified, "A"))
    if own is None or not reachable(scene, "A", relation, "INSERT"):
        return
    functions = [scene.snapshot.functions.get(t.function) for t in relation.triggers if t.enabled]
    texts = [f for f in functions if f is not None and _points(scene, f)]
    rules = [r.definition for r in relation.rules if scene.model.schemas["B"] in r.definition]
    if texts or rules:
        insert = Step("A", own.insert(omit=insertable(scene, relation, "A", own)))
        yield _lands(scene, relation.qualified, insert)


def _points(scene: Scene, function: Function) -> bool:
    """Whether *function* may reach into B's schema: it is of it, looks in it, or names it."""
    theirs = scene.model.schemas["B"]
    path = [p.strip().strip('"') for p in function.settings.get("search_path", "").split(",")]
    named = {schema for schema, _ in relations_in(function.source, function.language)}
    return function.schema == theirs or theirs in path or theirs in named or (
        theirs in function.source
    )  # fmt: skip


def _lands(scene: Scene, at: str, write: Step) -> Attempt:
    """Run *write* and look for A's canary in every table of B's schema."""
    canary = sql.literal(f"%{scene.world.canaries['A']}%")
    tables = [t for t in scene.snapshot.tables if t.schema == scene.model.schemas["B"]]
    query = " UNION ALL ".join(
        f"SELECT {sql.literal(t.qualified)}, count(*) FROM {t.qualified} t "
        f"WHERE t::text LIKE {canary}"
        for t in tables
    )
    watch = Step("admin", query)

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if not (outcomes[0].ok and outcomes[1].ok and outcomes[2].ok):
            return None
        before, after = outcomes[0].rows, outcomes[2].rows
        grown = [two[0] for one, two in zip(before, after, strict=True) if one != two]
        if grown:
            return Breach(f"what A wrote to {at} ended up in {grown[0]}", "write", (1, 2))
        return None

    return Attempt(
        at=at,
        attacker="A",
        steps=(watch, write, watch),
        judge=judge,
        effect="write",
        fix=f"let {at} use functions and tables of {scene.model.schemas['A']} only",
    )


def _functions(scene: Scene) -> Iterator[Attempt]:
    """Functions that A calls by a bare name, or that are in B's schema, and what they reach."""
    role = scene.identities["A"].role
    mine, theirs = scene.model.schemas["A"], scene.model.schemas["B"]
    tokens = scene.world.tokens["B"]
    shared_login = role == scene.identities["B"].role
    for function in scene.snapshot.functions.values():
        schema = scene.snapshot.schemas[function.schema]
        if (
            function.oid not in scene.snapshot.executable[role]
            or role not in schema.usage
            or function.is_trigger
            or function.extension is not None
            or function.kind not in {"function", "procedure"}
            or function.schema not in {mine, theirs}
            or not _points(scene, function)
        ):
            continue

        def judge(outcomes: Sequence[Outcome], at: str = function.signature) -> Judgement:
            if outcomes[0].shows(tokens):
                return Breach(f"{at} shows A what stands in the schema of B")
            return None

        needs: Level | None = "sql" if shared_login and function.schema == theirs else None
        fix = f"let {function.signature} use functions and tables of {mine} only"
        ask = Step("A", call(scene, function, "A"))
        yield Attempt(
            at=function.signature, attacker="A", steps=(ask,), judge=judge,
            level=needs, fix=fix, repair=partial(looking_at_home, scene, function),
        )  # fmt: skip
        if function.volatility == "volatile":
            written = _lands(scene, function.signature, ask)
            repair = partial(looking_at_home, scene, function)
            yield replace(written, level=needs, fix=fix, repair=repair)


def _reference(scene: Scene, relation: Relation, key: Constraint) -> Iterator[Attempt]:
    """A's table points at one of B: B's key is taken, nobody's is refused."""
    parent = scene.snapshot.relations.get(key.target or 0)
    if parent is None or parent.schema != scene.model.schemas["B"]:
        return
    held, spare = (
        rows.get((parent.qualified, "B")) for rows in (scene.world.planted, scene.world.spare)
    )
    own = scene.world.spare.get((relation.qualified, "A")) or scene.world.planted.get(
        (relation.qualified, "A")
    )
    if held is None or spare is None or not reachable(scene, "A", relation, "INSERT"):
        return
    columns = [relation.by_name[name] for name in key.columns]
    pairs = list(zip(columns, key.target_columns, strict=True))
    values = [
        {c.quoted: source.values[parent.by_name[t].quoted] for c, t in pairs}
        for source in (spare, held)
    ]
    granted = scene.grants("A").columns_for("INSERT", relation)
    statements = [
        own.insert(changes=v, omit=insertable(scene, relation, "A", own))
        if own is not None
        else sql.insert(relation.qualified, generated_row(granted, {}) | v)
        for v in values
    ]

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        refused, taken = outcomes
        if refused.sqlstate == VIOLATED and taken.sqlstate != VIOLATED and taken.sqlstate in {
            "", "23505",
        }:  # fmt: skip
            return Breach(f"{key.name} tells A which keys stand in {parent.qualified} of B")
        return None

    yield Attempt(
        at=f"{relation.qualified} ({', '.join(key.columns)})",
        attacker="A",
        steps=tuple(Step("A", statement) for statement in statements),
        judge=judge,
        effect="detect",
        level=level(scene, relation),
        fix=f"let {key.name} reference a table of {scene.model.schemas['A']}",
        repair=partial(pointing_at_home, scene, relation, key, parent),
    )
