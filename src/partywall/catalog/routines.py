"""Read functions, procedures and sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from partywall.catalog.facts import Function, Sequence
from partywall.catalog.relations import SYSTEM_SCHEMAS, made, rows

if TYPE_CHECKING:
    import psycopg

    from partywall.catalog.facts import Oid

KINDS = {"f": "function", "p": "procedure", "a": "aggregate", "w": "window"}
VOLATILITY = {"i": "immutable", "s": "stable", "v": "volatile"}

FUNCTIONS = f"""
SELECT p.oid, n.nspname, p.proname, format('%I.%I', n.nspname, p.proname),
       format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
       p.prokind::text, pg_get_userbyid(p.proowner), l.lanname, p.prosecdef, p.proleakproof,
       p.provolatile::text, coalesce(pg_get_function_result(p.oid), ''), p.proretset,
       p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype),
       array(SELECT coalesce(p.proargnames[k.place], '')
             FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS k(type, place) ORDER BY place),
       array(SELECT format_type(k.type, NULL)
             FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS k(type, place) ORDER BY place),
       p.proargmodes::text[], p.proargnames,
       p.pronargdefaults::int, coalesce(p.proconfig, '{{}}'),
       coalesce(nullif(pg_get_function_sqlbody(p.oid), ''), p.prosrc, ''), p.procost::float8, e.extname
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
LEFT JOIN pg_extension e ON e.oid = d.refobjid
WHERE {SYSTEM_SCHEMAS}
ORDER BY 5
"""

SEQUENCES = f"""
SELECT c.oid, n.nspname, c.relname, format('%I.%I', n.nspname, c.relname), pg_get_userbyid(c.relowner),
       array(SELECT DISTINCT d.refobjid::bigint || ' ' || a.attname FROM pg_depend d
             JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
             WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
               AND d.refclassid = 'pg_class'::regclass
             UNION
             SELECT ad.adrelid::bigint || ' ' || a.attname FROM pg_depend d
             JOIN pg_attrdef ad ON ad.oid = d.objid
             JOIN pg_attribute a ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum
             WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
               AND d.refobjid = c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND {SYSTEM_SCHEMAS}
ORDER BY 4
"""


def read_functions(connection: psycopg.Connection[Any]) -> dict[Oid, Function]:
    """Every function outside the system's schemas, by oid, in signature order."""
    found = {}
    for row in rows(connection, FUNCTIONS):
        names, types, modes, all_names = row[14:18]
        if modes is not None:  # proargnames also names OUT columns: take the inputs' only
            inputs = [i for i, mode in enumerate(modes) if mode in {"i", "b", "v"}]
            names = [(all_names or [""] * len(modes))[i] for i in inputs]
        found[row[0]] = made(Function,
            *row[:5], cast("Any", KINDS[row[5]]), *row[6:10], cast("Any", VOLATILITY[row[10]]),
            *row[11:14], arguments=tuple(zip(names, types, strict=True)), defaults=row[18],
            settings={k: v for k, _, v in (entry.partition("=") for entry in row[19])},
            source=row[20], cost=row[21], extension=row[22],
        )  # fmt: skip
    return found


def read_sequences(connection: psycopg.Connection[Any]) -> dict[Oid, Sequence]:
    """Every sequence outside the system's schemas, by oid, in name order."""
    return {
        row[0]: made(
            Sequence,
            *row[:5],
            users=tuple((int(oid), name) for oid, _, name in (u.partition(" ") for u in row[5])),
        )
        for row in rows(connection, SEQUENCES)
    }
