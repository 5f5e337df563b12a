"""Ask the server what a login could do: one query, and what its answer says.

It follows memberships in the catalog instead of asking `has_table_privilege`, which says nothing of
what SET ROLE would open, nor of single columns, nor to whom a privilege was granted.
https://www.postgresql.org/docs/current/catalog-pg-auth-members.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from partywall.isolation.login import (
    ATTRIBUTES,
    PARTS,
    Held,
    LoginFacts,
    PartFacts,
    RoleFacts,
    TableFacts,
)
from partywall.isolation.naming import literal
from partywall.isolation.row_security import RowSecurity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.isolation.plan import IsolationModel

QUERY = """
WITH RECURSIVE login AS (
    SELECT oid, rolname FROM pg_catalog.pg_roles WHERE rolname = session_user
), reached AS (
    SELECT oid, NULL::pg_catalog.oid AS through FROM login
    UNION
    SELECT m.roleid, coalesce(r.through, m.roleid)
    FROM reached r JOIN pg_catalog.pg_auth_members m ON m.member = r.oid
), mine AS (
    SELECT a.oid, a.rolname, a.rolsuper, a.rolbypassrls, a.rolcreaterole, a.rolreplication,
           coalesce((SELECT pg_catalog.json_agg(t.rolname ORDER BY t.rolname) FROM reached r
                     JOIN pg_catalog.pg_roles t ON t.oid = r.through WHERE r.oid = a.oid), '[]') AS through
    FROM pg_catalog.pg_roles a WHERE a.oid IN (SELECT oid FROM reached)
), holders AS (
    SELECT oid, rolname::text AS name FROM mine UNION ALL SELECT 0, ''
), used AS (
    SELECT 'table' AS kind, c.oid, n.nspname, c.relname AS name, c.relowner AS owner, '' AS quoted,
           c.relacl || (SELECT pg_catalog.array_agg(g ORDER BY a.attnum) FROM pg_catalog.pg_attribute a, pg_catalog.unnest(a.attacl) g
                        WHERE a.attrelid = c.oid AND NOT a.attisdropped) AS acl,
           c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = {column} AND a.attnum > 0
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
    UNION ALL
    SELECT 'part', c.oid, n.nspname, c.relname, c.relowner, pg_catalog.format('TABLE %I.%I', n.nspname, c.relname),
           c.relacl || (SELECT pg_catalog.array_agg(g ORDER BY a.attnum) FROM pg_catalog.pg_attribute a, pg_catalog.unnest(a.attacl) g
                        WHERE a.attrelid = c.oid AND NOT a.attisdropped), false, false
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = {schema} AND c.relname IN ({parts})
    UNION ALL
    SELECT 'part', p.oid, n.nspname, p.proname, p.proowner,
           pg_catalog.format('FUNCTION %I.%I(%s)', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)),
           coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner)), false, false
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = {schema} AND p.proname IN ({parts})
    UNION ALL
    SELECT 'part', n.oid, n.nspname, '', n.nspowner, pg_catalog.format('SCHEMA %I', n.nspname), n.nspacl, false, false
    FROM pg_catalog.pg_namespace n WHERE n.nspname = {schema}
), judged AS (
    SELECT u.*, coalesce((SELECT rolname FROM mine WHERE mine.oid = u.owner), '') AS own,
           (SELECT coalesce(pg_catalog.json_agg(DISTINCT pg_catalog.jsonb_build_array(h.name, g.privilege_type)), '[]')
            FROM pg_catalog.aclexplode(u.acl) g JOIN holders h ON h.oid = g.grantee
            WHERE g.grantee <> u.owner) AS held
    FROM used u
)
SELECT (SELECT rolname::text FROM login),
    (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(rolname, through, rolsuper, rolbypassrls, rolcreaterole, rolreplication)
                     ORDER BY rolname)::text FROM mine),
    (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(nspname, name, own, enabled, forced, held)
                              ORDER BY nspname, name), '[]')::text
     FROM judged WHERE kind = 'table' AND (own <> '' OR held::text <> '[]')),
    (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(name, quoted, own, held) ORDER BY name, quoted), '[]')::text
     FROM judged WHERE kind = 'part' AND (own <> '' OR held::text <> '[]'))
"""  # noqa: E501 - a line of a query is one of its columns


def query(model: IsolationModel) -> str:
    """The query for what *model* needs to know of the login that executes it."""
    column = schema = ""
    if isinstance(model, RowSecurity):
        column, schema = model.column, model.schema
    return (
        QUERY.replace("{column}", literal(column))
        .replace("{schema}", literal(schema))
        .replace("{parts}", ", ".join(literal(part) for part in PARTS if part))
    )


def answered(row: Sequence[Any]) -> LoginFacts:
    """The facts in the one row that `query` returns."""
    login, roles, tables, parts = row
    return LoginFacts(
        login,
        tuple(
            RoleFacts(
                name,
                frozenset(a for a, on in zip(ATTRIBUTES, flags, strict=True) if on),
                tuple(through),
            )
            for name, through, *flags in json.loads(roles)
        ),
        tuple(
            TableFacts(schema, name, owner, enabled, forced, holding(held))
            for schema, name, owner, enabled, forced, held in json.loads(tables)
        ),
        tuple(
            PartFacts(name, quoted, owner, holding(held))
            for name, quoted, owner, held in json.loads(parts)
        ),
    )


def holding(pairs: list[tuple[str, str]]) -> tuple[Held, ...]:
    """Who has which privilege."""
    return tuple(Held(by, privilege) for by, privilege in pairs)
