"""The queries of the catalog behind `partywall.fleet.existing`; their columns are its fields.

Names in what the server writes are qualified: the connection's search_path is pg_catalog alone.
"""

from __future__ import annotations

from typing import Final

NAME: Final = """(SELECT n.nspname || '.' || c.relname FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = {})"""
COLUMNS: Final = """array(SELECT a.attname::text FROM unnest({}) WITH ORDINALITY u (number, place)
    JOIN pg_attribute a ON a.attrelid = {} AND a.attnum = u.number ORDER BY u.place)"""

TABLES: Final = """
SELECT c.oid, n.nspname || '.' || c.relname AS name, c.relkind::text AS kind,
    pg_get_userbyid(c.relowner)::text AS owner,
    c.relispartition OR EXISTS (SELECT FROM pg_inherits i
        WHERE c.oid IN (i.inhparent, i.inhrelid)) AS inherits,
    c.relreplident = 'i' AS by_index,
    coalesce(format_type(a.atttypid, a.atttypmod), '') AS column_type,
    coalesce(a.attnotnull, false) AS required,
    coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS default,
    c.relrowsecurity AND c.relforcerowsecurity AS walled,
    pg_has_role(%(login)s, c.relowner, 'MEMBER') AS dismantlable,
    has_table_privilege(%(login)s, c.oid, 'SELECT') AS readable,
    (SELECT bool_and(has_table_privilege(%(login)s, c.oid, p))
        FROM unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p)
        AND NOT has_table_privilege(%(login)s, c.oid, 'TRUNCATE,REFERENCES,TRIGGER') AS granted,
    array(SELECT p.polname::text FROM pg_policy p WHERE p.polrelid = c.oid) AS policies,
    array(SELECT t.tgname::text FROM pg_trigger t WHERE t.tgrelid = c.oid) AS triggers
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = %(column)s AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
    AND n.nspname NOT IN ('information_schema', %(schema)s) AND n.nspname !~ '^pg_'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass
        AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY 2
"""

KEYS: Final = f"""
SELECT {NAME.format("i.indrelid")} AS table, x.relname::text AS name,
    coalesce(k.contype::text, '') AS kind, i.indisunique AS unique, i.indisvalid AS valid,
    coalesce(k.condeferrable, false) AS deferrable,
    EXISTS (SELECT FROM unnest(i.indkey) WITH ORDINALITY u (number, place)
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.number
        WHERE u.place <= i.indnkeyatts AND a.attname = %(column)s) AS led,
    CASE WHEN starts_with(whole.text, head.text) THEN substr(whole.text, length(head.text) + 1)
        ELSE '' END AS body,
    EXISTS (SELECT FROM pg_depend v WHERE v.refclassid = 'pg_constraint'::regclass
        AND v.refobjid = k.oid AND v.classid = 'pg_rewrite'::regclass) AS viewed
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_constraint k ON k.conindid = x.oid AND k.conrelid = t.oid
    AND k.contype IN ('p', 'u', 'x')
CROSS JOIN LATERAL (SELECT pg_get_indexdef(x.oid) AS text) whole
CROSS JOIN LATERAL (SELECT format('CREATE %%sINDEX %%I ON %%I.%%I USING btree (',
    CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END,
    x.relname, n.nspname, t.relname) AS text) head
WHERE t.oid = ANY(%(owned)s)
ORDER BY 1, i.indisprimary DESC, 2
"""

REFERENCES: Final = f"""
SELECT {NAME.format("k.conrelid")} AS table, k.conname::text AS name,
    {NAME.format("k.confrelid")} AS target,
    {COLUMNS.format("k.conkey", "k.conrelid")} AS columns,
    {COLUMNS.format("k.confkey", "k.confrelid")} AS target_columns,
    {COLUMNS.format("coalesce(k.confdelsetcols, k.conkey)", "k.conrelid")} AS emptied,
    k.confdeltype::text AS on_delete, k.confupdtype::text AS on_update,
    k.confmatchtype = 'f' AS match_full, k.condeferrable AS deferrable,
    k.condeferred AS deferred, k.convalidated AS valid
FROM pg_constraint k
WHERE k.contype = 'f' AND (k.conrelid = ANY(%(owned)s) OR k.confrelid = ANY(%(owned)s))
ORDER BY 1, 2
"""

CHECKS: Final = f"""
SELECT {NAME.format("k.conrelid")}, k.conname::text, k.convalidated
FROM pg_constraint k WHERE k.contype = 'c' AND k.conrelid = ANY(%(owned)s)
"""

COUNTERS: Final = f"""
SELECT {NAME.format("a.attrelid")} AS table, a.attname::text AS column, n.nspname::text AS schema,
    s.relname::text AS name, a.attnotnull AS required,
    q.seqstart AS start, q.seqincrement AS step, q.seqcache AS cache
FROM pg_depend d JOIN pg_class s ON s.oid = d.objid JOIN pg_sequence q ON q.seqrelid = s.oid
JOIN pg_namespace n ON n.oid = s.relnamespace
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.deptype = 'a' AND d.refobjid = ANY(%(owned)s)
ORDER BY 1, 2
"""

VIEWS: Final = """
WITH RECURSIVE above AS (
    SELECT unnest(%(owned)s::oid[]) AS oid
    UNION
    SELECT r.ev_class FROM above JOIN pg_depend d ON d.refobjid = above.oid
        AND d.refclassid = 'pg_class'::regclass AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = d.objid
)
SELECT n.nspname || '.' || c.relname AS name, c.relkind = 'm' AS stored,
    (o.rolsuper OR o.rolbypassrls) AND NOT coalesce((SELECT v.option_value::boolean
        FROM pg_options_to_table(c.reloptions) v
        WHERE v.option_name = 'security_invoker'), false) AS unbound
FROM above JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_roles o ON o.oid = c.relowner
WHERE c.relkind IN ('v', 'm') ORDER BY 1
"""

CALLERS: Final = """
SELECT CASE WHEN has_function_privilege('public', p.oid, 'EXECUTE') THEN 'everyone'
    WHEN has_schema_privilege(%(login)s, n.oid, 'USAGE')
        AND has_function_privilege(%(login)s, p.oid, 'EXECUTE') THEN 'login' ELSE 'owner' END
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = %(schema)s AND p.proname = 'tenant_id' AND p.pronargs = 0
"""
