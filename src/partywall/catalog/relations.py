"""Read tables, views and all that hangs on them, in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from partywall.catalog.facts import Column, Constraint, Index, Policy, Relation, Rule, Trigger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import psycopg

    from partywall.catalog.facts import Oid

Value = TypeVar("Value")
Cell: TypeAlias = Any
"""What a query yields, as the driver reads it."""

SYSTEM_SCHEMAS = (
    "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'"
)
IN_USER_SCHEMA = (
    "EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    f"WHERE c.oid = {{}} AND {SYSTEM_SCHEMAS})"
)
KINDS = {"r": "table", "p": "partitioned", "v": "view", "m": "matview", "f": "foreign"}
CONSTRAINTS = {"p": "primary", "u": "unique", "f": "foreign", "c": "check", "x": "exclusion"}
COMMANDS = {"*": "ALL", "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}
ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}

RELATIONS = f"""
SELECT c.oid, n.nspname, c.relname, format('%I.%I', n.nspname, c.relname), format('%I', c.relname),
       c.relkind::text, pg_get_userbyid(c.relowner), c.relrowsecurity, c.relforcerowsecurity,
       c.relispartition, (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = c.oid
                          ORDER BY i.inhseqno LIMIT 1),
       pg_get_expr(c.relpartbound, c.oid), coalesce(c.reloptions, '{{}}'),
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
       c.reltuples::float8, c.relpages::bigint * 8192, e.extname, s.srvname,
       CASE WHEN c.relkind IN ('v', 'f') THEN pg_relation_is_updatable(c.oid, true) ELSE 28 END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
LEFT JOIN pg_extension e ON e.oid = d.refobjid
LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND {SYSTEM_SCHEMAS}
ORDER BY n.nspname, c.relname
"""

COLUMNS = f"""
WITH RECURSIVE unwrapped AS (
    SELECT t.oid AS origin, t.oid, t.typtype, t.typbasetype, t.typtypmod, t.typcategory, t.typelem,
           t.typname, NULL::int AS modifier
    FROM pg_type t
    UNION ALL
    SELECT u.origin, b.oid, b.typtype, b.typbasetype, b.typtypmod, b.typcategory, b.typelem,
           b.typname, nullif(u.typtypmod, -1)
    FROM unwrapped u JOIN pg_type b ON b.oid = u.typbasetype WHERE u.typtype = 'd'
), base AS (
    SELECT DISTINCT ON (origin) * FROM unwrapped WHERE typtype <> 'd' ORDER BY origin
), checks AS (
    SELECT u.origin, array_agg(pg_get_expr(k.conbin, 0)) AS expressions
    FROM unwrapped u JOIN pg_constraint k ON k.contypid = u.oid AND k.contype = 'c'
    WHERE u.typtype = 'd' GROUP BY u.origin
)
SELECT a.attrelid, a.attnum::int, a.attname, format('%I', a.attname), format_type(a.atttypid, a.atttypmod),
       b.typname, b.typcategory::text, coalesce(el.typname, ''),
       CASE WHEN b.typname IN ('varchar', 'bpchar')
            THEN coalesce(nullif(a.atttypmod, -1), b.modifier) - 4
            WHEN b.typname = 'name' THEN 63
            WHEN b.typname IN ('bit', 'varbit') THEN coalesce(nullif(a.atttypmod, -1), b.modifier)
       END,
       a.attnotnull OR t.typnotnull, pg_get_expr(d.adbin, d.adrelid),
       CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' ELSE '' END,
       a.attgenerated <> '',
       coalesce((SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e
                 WHERE e.enumtypid = b.oid), '{{}}'),
       coalesce(k.expressions, '{{}}'),
       coalesce(co.collisdeterministic, true)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid JOIN base b ON b.origin = t.oid
LEFT JOIN pg_type el ON el.oid = b.typelem AND b.typcategory = 'A'
LEFT JOIN checks k ON k.origin = t.oid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_collation co ON co.oid = a.attcollation
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND a.attnum > 0
  AND NOT a.attisdropped AND {SYSTEM_SCHEMAS}
ORDER BY a.attrelid, a.attnum
"""

ATTRIBUTE_NAMES = """array(SELECT coalesce((SELECT a.attname::text FROM pg_attribute a
    WHERE a.attrelid = {relation} AND a.attnum = key.number), '')
    FROM unnest({keys}::int2[]) WITH ORDINALITY AS key(number, place)
    ORDER BY key.place)"""

CONSTRAINT_ROWS = f"""
SELECT k.conrelid, k.conname, k.contype::text,
       {ATTRIBUTE_NAMES.format(relation="k.conrelid", keys="coalesce(k.conkey, '{}')")},
       pg_get_constraintdef(k.oid), nullif(k.confrelid, 0),
       {ATTRIBUTE_NAMES.format(relation="k.confrelid", keys="coalesce(k.confkey, '{}')")},
       k.confdeltype::text, k.confupdtype::text, k.condeferrable,
       coalesce(pg_get_expr(k.conbin, k.conrelid), '')
FROM pg_constraint k
WHERE k.conrelid <> 0 AND k.contype IN ('p', 'u', 'f', 'c', 'x')
  AND {IN_USER_SCHEMA.format("k.conrelid")}
ORDER BY k.conrelid, k.conname
"""

INDEXES = f"""
SELECT i.indrelid, format('%I.%I', n.nspname, c.relname), i.indisunique, i.indisprimary, i.indisexclusion,
       {ATTRIBUTE_NAMES.format(relation="i.indrelid", keys="i.indkey")},
       coalesce(pg_get_expr(i.indexprs, i.indrelid), ''), pg_get_expr(i.indpred, i.indrelid),
       pg_get_indexdef(i.indexrelid),
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false), i.indnkeyatts::int
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisvalid AND {SYSTEM_SCHEMAS}
ORDER BY 1, 2
"""

POLICIES = f"""
SELECT p.polrelid, p.polname, p.polcmd::text, p.polpermissive,
       array(SELECT CASE WHEN r = 0 THEN 'public' ELSE pg_get_userbyid(r)::text END
             FROM unnest(p.polroles) AS r ORDER BY 1),
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_policy p WHERE {IN_USER_SCHEMA.format("p.polrelid")}
ORDER BY 1, 2
"""

TRIGGERS = f"""
SELECT t.tgrelid, t.tgname, t.tgfoid, t.tgenabled <> 'D', pg_get_triggerdef(t.oid)
FROM pg_trigger t WHERE NOT t.tgisinternal AND {IN_USER_SCHEMA.format("t.tgrelid")}
ORDER BY 1, 2
"""

RULES = f"""
SELECT r.ev_class, r.rulename,
       CASE r.ev_type WHEN '2' THEN 'UPDATE' WHEN '3' THEN 'INSERT' WHEN '4' THEN 'DELETE' ELSE 'SELECT' END,
       pg_get_ruledef(r.oid)
FROM pg_rewrite r WHERE r.rulename <> '_RETURN' AND {IN_USER_SCHEMA.format("r.ev_class")}
ORDER BY 1, 2
"""


def rows(
    connection: psycopg.Connection[Any], query: str, arguments: Mapping[str, Any] | None = None
) -> list[Any]:
    """All rows of *query*; their types are the query's, which no checker can know."""
    return connection.execute(query.encode(), arguments).fetchall()


def made(kind: Callable[..., Value], *fields: Cell, **named: Cell) -> Value:
    """Make a value of *kind* from a row; the query's columns are the value's fields, in order."""
    return kind(*fields, **named)


def read_relations(connection: psycopg.Connection[Any]) -> dict[Oid, Relation]:
    """Every relation outside the system's schemas, by oid, in name order."""
    parts: dict[str, defaultdict[Oid, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for oid, *column in rows(connection, COLUMNS):
        column[12], column[13] = tuple(column[12]), tuple(column[13])
        parts["columns"][oid].append(Column(*column))
    for (
        oid,
        name,
        kind,
        columns,
        definition,
        target,
        targets,
        delete,
        update,
        deferrable,
        text,
    ) in rows(connection, CONSTRAINT_ROWS):
        parts["constraints"][oid].append(
            Constraint(
                name, cast("Any", CONSTRAINTS[kind]), oid, tuple(columns), definition, target,
                tuple(targets), ACTIONS.get(delete, "NO ACTION"), ACTIONS.get(update, "NO ACTION"),
                deferrable, text,
            )
        )  # fmt: skip
    for (
        oid,
        name,
        unique,
        primary,
        exclusion,
        columns,
        texts,
        where,
        definition,
        nulls,
        keys,
    ) in rows(connection, INDEXES):
        parts["indexes"][oid].append(
            Index(
                name, oid, unique, primary, exclusion, tuple(columns[:keys]), texts, where,
                definition, nulls,
            )
        )  # fmt: skip
    for oid, name, command, permissive, roles, using, check in rows(connection, POLICIES):
        parts["policies"][oid].append(
            Policy(
                name, oid, cast("Any", COMMANDS[command]), permissive, tuple(roles), using, check
            )
        )
    for oid, *rest in rows(connection, TRIGGERS):
        parts["triggers"][oid].append(Trigger(rest[0], oid, *rest[1:]))
    for oid, name, event, definition in rows(connection, RULES):
        parts["rules"][oid].append(Rule(name, oid, event, definition))
    return {
        row[0]: made(
            Relation,
            *row[:5], cast("Any", KINDS[row[5]]), *row[6:12], options=_options(row[12]),
            definition=row[13], rows=row[14], size=row[15], extension=row[16], server=row[17],
            updatable=row[18], **{name: tuple(by_oid[row[0]]) for name, by_oid in parts.items()},
        )
        for row in rows(connection, RELATIONS)
    }  # fmt: skip


def _options(entries: list[str]) -> dict[str, str]:
    """The options ``name=value`` as a mapping, in lower case."""
    return {name.lower(): value.lower() for name, _, value in (e.partition("=") for e in entries)}
