"""A sum of what every turn rests on: turns from before a change of the walls prove nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

SUM = """
WITH lines (line) AS (
  SELECT policy::text FROM pg_policy policy
  UNION ALL
  SELECT (oid, relname, relnamespace, relowner, relkind, relrowsecurity, relforcerowsecurity,
          relacl, reloptions)::text
  FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relpersistence <> 't'
  UNION ALL
  SELECT (ev_class, ev_type, ev_qual, ev_action)::text
  FROM pg_rewrite JOIN pg_class c ON c.oid = ev_class WHERE relpersistence <> 't'
  UNION ALL
  SELECT (attrelid, attname, attacl)::text FROM pg_attribute WHERE attacl IS NOT NULL
  UNION ALL
  SELECT (oid, proname, pronamespace, proowner, prosecdef, proconfig, proacl, prosrc)::text
  FROM pg_proc WHERE pronamespace <> 'pg_catalog'::regnamespace
  UNION ALL
  SELECT (oid, nspname, nspowner, nspacl)::text
  FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
  UNION ALL
  SELECT (oid, rolname, rolsuper, rolinherit, rolbypassrls)::text FROM pg_roles
  UNION ALL
  SELECT (roleid, member, admin_option)::text FROM pg_auth_members
  UNION ALL
  SELECT setting::text FROM pg_db_role_setting setting
)
SELECT md5(string_agg(line, E'\\n' ORDER BY line COLLATE "C")) FROM lines
"""


def footing(home: psycopg.Connection[Any]) -> str:
    """The sum of policies, grants, owners, views, functions and roles, as the database has them."""
    return str(home.execute(SUM).fetchall()[0][0])
