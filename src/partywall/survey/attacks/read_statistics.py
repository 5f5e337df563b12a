"""PW215: another tenant's values among the planner's statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.bodies import words
from partywall.survey.engine import CLOSED
from partywall.survey.mending.privileges import revoked
from partywall.survey.surfaces import reachable, relations, row, tenant_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judgement, Level, Outcome, Scene
    from partywall.survey.identity import Who

STORED = ", ".join(f"stavalues{number}" for number in range(1, 6))
STATISTICS = {
    "pg_stats", "pg_stats_ext", "pg_stats_ext_exprs", "pg_statistic", "pg_statistic_ext_data",
}  # fmt: skip
COLUMNS, TABLES, LONG, SAMPLE = 8, 12, 6, 1_000


@attack("PW215", effect="read", level="sql")
def read_statistics(scene: Scene) -> Iterator[Attempt]:
    """Read the most common values and histograms of tenant-owned tables, as A.

    ANALYZE samples the rows of all tenants. The view `pg_stats` hides tables with row security
    and columns that may not be read; the catalogs `pg_statistic` and `pg_statistic_ext_data`
    beneath hide nothing from a role that was granted them.

    Affected:
        Databases that let an application's login, or a view it reads, look into the planner's
        statistics.

    Breaches:
        CREATE VIEW shop.columns AS
          SELECT starelid::regclass, stavalues1::text FROM pg_catalog.pg_statistic;
        GRANT SELECT ON shop.columns TO app;

    Holds:
        CREATE VIEW shop.columns AS SELECT attname, null_frac FROM pg_catalog.pg_stats;
        GRANT SELECT ON shop.columns TO app;

    Fix:
        Take the right to read pg_statistic and its like from the application, and use pg_stats,
        which keeps to row security.

    Source:
        https://www.postgresql.org/docs/current/catalog-pg-statistic.html
    """
    held = {"pg_stats"} | scene.snapshot.catalog_grants[scene.identities["A"].role]
    strong = scene.place == "copy" or scene.destructive
    make = _fresh if strong else _existing
    for relation in scene.snapshot.tables:
        if relation.qualified in scene.model.owned and row(scene, relation, "B"):
            for catalog, query in _queries(relation):
                if catalog in held:
                    yield make(scene, [relation], f"{catalog} of {relation.qualified}", query)
    sampled = [t for t in scene.snapshot.tables if t.qualified in scene.model.owned]
    sampled = [table for table in sampled if row(scene, table, "B")][:TABLES]
    for view in relations(scene):
        shown = view.kind == "view" and STATISTICS & words(view.definition or "")
        if shown and sampled and reachable(scene, "A", view, "SELECT"):
            yield make(scene, sampled, view.qualified, sql.select(view.qualified), "query")


def _queries(relation: Relation) -> Iterator[tuple[str, str]]:
    """Each catalog with the query that reads what it holds about *relation*."""
    name, table = sql.literal(relation.qualified), sql.literal(relation.name)
    schema = sql.literal(relation.schema)
    columns = "most_common_vals, histogram_bounds, most_common_elems"
    extended = "pg_catalog.pg_mcv_list_items(d.stxdmcv) AS items, d.stxdexpr"
    joined = (
        "pg_catalog.pg_statistic_ext_data d JOIN pg_catalog.pg_statistic_ext s ON s.oid = d.stxoid"
    )
    yield from (
        (
            "pg_statistic",
            f"SELECT {STORED} FROM pg_catalog.pg_statistic WHERE starelid = {name}::regclass",
        ),
        (
            "pg_stats",
            (
                f"SELECT {columns} FROM pg_catalog.pg_stats"
                f" WHERE schemaname = {schema} AND tablename = {table}"
            ),
        ),
        (
            "pg_statistic_ext_data",
            f"SELECT {extended} FROM {joined} WHERE s.stxrelid = {name}::regclass",
        ),
    )


def _fresh(
    scene: Scene, tables: Sequence[Relation], at: str, query: str, level: Level | None = None
) -> Attempt:
    """Take statistics of the planted rows; with a second row of B there is a histogram too."""
    tokens = scene.world.tokens["B"]
    spares = [row(scene, table, "B", spare=True) for table in tables]
    before = [Step("admin", spare.insert(), quiet=True, loose=True) for spare in spares if spare]
    before += [Step("admin", f"ANALYZE {table.qualified}") for table in tables]

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        return _breach(at) if outcomes[-1].shows(tokens) else None

    def steps(who: Who) -> tuple[Step, ...]:
        return (*before, Step(who, query))

    return Attempt(
        at=at,
        attacker="A",
        steps=steps("A"),
        judge=judge,
        control=steps("admin"),
        controlled=lambda outcomes: "" if outcomes[-1].shows(tokens) else CLOSED,
        level=level,
        repair=lambda: _repair(scene, at),
    )


def _existing(
    scene: Scene, tables: Sequence[Relation], at: str, query: str, level: Level | None = None
) -> Attempt:
    """On a target in use: whether A reads all that is there, and B's values are among it."""
    digest = "count(*), md5(string_agg(seen::text, ' ' ORDER BY seen::text))"
    print_of = f"SELECT {digest} FROM ({query}) AS seen"
    theirs = " UNION ALL ".join(_values_of_b(scene, table, query) for table in tables)

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        mine, whole, found = outcomes
        same = mine.ok and (mine.scalar or "0") != "0" and mine.rows == whole.rows
        return _breach(at) if same and _any(found) else None

    return Attempt(
        at=at,
        attacker="A",
        steps=(Step("A", print_of), Step("admin", print_of), Step("admin", theirs)),
        judge=judge,
        control=(Step("admin", theirs),),
        controlled=lambda outcomes: "" if _any(outcomes[-1]) else CLOSED,
        level=level,
        repair=lambda: _repair(scene, at),
    )


def _any(found: Outcome) -> bool:
    return any(row[0] != "0" for row in found.rows)


def _values_of_b(scene: Scene, relation: Relation, query: str) -> str:
    """Count long values of B's rows, that no row of A holds, in the text that *query* yields."""
    tenant = tenant_column(scene, relation)
    text = f"(SELECT string_agg(seen::text, ' ') FROM ({query}) AS seen)"
    theirs = mine = "true"
    if tenant is not None:
        a, b = (sql.literal(scene.identities[who].tenant) for who in ("A", "B"))
        mine, theirs = f"{tenant.quoted}::text = {a}", f"{tenant.quoted}::text = {b}"
    parts = []
    for column in [c for c in relation.columns if c != tenant and not c.enum][:COLUMNS]:
        value = f"{column.quoted}::text"
        rows = f"FROM {relation.qualified} WHERE {theirs} AND length({value}) >= {LONG}"
        parts.append(
            f"SELECT DISTINCT {value} AS value, EXISTS (SELECT FROM {relation.qualified} AS own"
            f" WHERE {mine} AND own.{value} = {relation.qualified}.{value}) AS shared {rows}"
            if tenant is not None
            else f"SELECT DISTINCT {value} AS value, false AS shared {rows}"
        )
    found = " UNION ALL ".join(f"({part} LIMIT {SAMPLE})" for part in parts)
    met = f"NOT shared AND strpos({text}, value) > 0"
    return f"SELECT count(*) FROM ({found}) AS known WHERE {met}"


def _breach(at: str) -> Breach:
    return Breach(f"{at} shows values of another tenant's rows")


def _repair(scene: Scene, at: str) -> tuple[str, ...]:
    catalog, of, _ = at.partition(" of ")
    if not of and at in scene.snapshot.by_qualified:
        return revoked(scene, ("SELECT",), scene.snapshot.by_qualified[at])
    role = sql.identifier(scene.identities["A"].role)
    return (f"REVOKE SELECT ON pg_catalog.{catalog} FROM {role}",) if of else ()
