"""Read roles, and what the acting ones may do: always the server's own answer."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from partywall.catalog.relations import SYSTEM_SCHEMAS, made, rows
from partywall.catalog.rights import (
    Database,
    DefaultPrivilege,
    ForeignServer,
    Grants,
    LargeObject,
    Membership,
    Publication,
    Role,
    Schema,
)

if TYPE_CHECKING:
    from collections.abc import Sequence as Listing

    import psycopg

    from partywall.catalog.facts import Oid
    from partywall.catalog.rights import Holding

    Connection = psycopg.Connection[Any]

PRIVILEGES_FROM_16 = 160000
TABLE_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")

ROLES = """
SELECT r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb, r.rolreplication,
       r.rolcanlogin, r.rolinherit,
       array(SELECT o.rolname::text FROM pg_roles o WHERE pg_has_role(r.oid, o.oid, 'USAGE')),
       array(SELECT o.rolname::text FROM pg_roles o WHERE pg_has_role(r.oid, o.oid, '{become}')),
       array(SELECT unnest(s.setconfig) FROM pg_db_role_setting s WHERE s.setrole = r.oid
             AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
             ORDER BY s.setdatabase)
FROM pg_roles r WHERE r.rolname !~ '^pg_' OR r.oid IN (SELECT roleid FROM pg_auth_members) ORDER BY 1
"""
MEMBERSHIPS = """
SELECT pg_get_userbyid(m.roleid), pg_get_userbyid(m.member),
       coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, r.rolinherit),
       coalesce((to_jsonb(m) ->> 'set_option')::boolean, true), m.admin_option
FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member ORDER BY 1, 2
"""
TABLE_GRANTS = f"""
SELECT r.name, c.oid, array(SELECT p FROM unnest(%(privileges)s::text[]) AS p
                            WHERE has_table_privilege(r.name, c.oid, p))
FROM unnest(%(roles)s::text[]) AS r(name), pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND {SYSTEM_SCHEMAS}
"""
COLUMN_GRANTS = f"""
SELECT r.name, c.oid, p.name, array_agg(a.attname::text)
FROM unnest(%(roles)s::text[]) AS r(name),
     unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) AS p(name),
     pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND {SYSTEM_SCHEMAS}
  AND a.attnum > 0 AND NOT a.attisdropped AND a.attacl IS NOT NULL
  AND NOT has_table_privilege(r.name, c.oid, p.name)
  AND has_column_privilege(r.name, c.oid, a.attnum, p.name)
GROUP BY 1, 2, 3
"""
FUNCTION_GRANTS = f"""
SELECT r.name, array(SELECT p.oid::bigint FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                     WHERE {SYSTEM_SCHEMAS} AND has_function_privilege(r.name, p.oid, 'EXECUTE'))
FROM unnest(%(roles)s::text[]) AS r(name)
"""
SEQUENCE_GRANTS = f"""
SELECT r.name, c.oid, array(SELECT p FROM unnest(ARRAY['SELECT', 'USAGE', 'UPDATE']) AS p
                            WHERE has_sequence_privilege(r.name, c.oid, p))
FROM unnest(%(roles)s::text[]) AS r(name), pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND {SYSTEM_SCHEMAS}
"""
SCHEMAS = f"""
SELECT n.nspname, quote_ident(n.nspname), pg_get_userbyid(n.nspowner),
       array(SELECT r FROM unnest(%(roles)s::text[]) AS r WHERE has_schema_privilege(r, n.oid, 'USAGE')),
       array(SELECT r FROM unnest(%(roles)s::text[]) AS r WHERE has_schema_privilege(r, n.oid, 'CREATE')),
       e.extname
FROM pg_namespace n
LEFT JOIN pg_depend d ON d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e'
LEFT JOIN pg_extension e ON e.oid = d.refobjid
WHERE {SYSTEM_SCHEMAS} ORDER BY 1
"""
LARGE_OBJECTS = """
SELECT m.oid, pg_get_userbyid(m.lomowner),
       array(SELECT r FROM unnest(%(roles)s::text[]) AS r WHERE EXISTS (
           SELECT FROM aclexplode(coalesce(m.lomacl, acldefault('L', m.lomowner))) a
           WHERE a.privilege_type = 'SELECT'
             AND (a.grantee = 0 OR pg_has_role(r, a.grantee, 'USAGE')))),
       array(SELECT r FROM unnest(%(roles)s::text[]) AS r WHERE EXISTS (
           SELECT FROM aclexplode(coalesce(m.lomacl, acldefault('L', m.lomowner))) a
           WHERE a.privilege_type = 'UPDATE'
             AND (a.grantee = 0 OR pg_has_role(r, a.grantee, 'USAGE'))))
FROM pg_largeobject_metadata m ORDER BY 1 LIMIT 1000
"""
DEFAULT_PRIVILEGES = """
SELECT pg_get_userbyid(d.defaclrole), coalesce(n.nspname, ''),
       CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
            WHEN 'T' THEN 'types' ELSE 'schemas' END,
       array(SELECT (CASE WHEN a.grantee = 0 THEN 'public' ELSE pg_get_userbyid(a.grantee)::text END)
                    || ' ' || a.privilege_type FROM aclexplode(d.defaclacl) a ORDER BY 1)
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace ORDER BY 1, 2, 3
"""
DATABASES = """
SELECT d.datname, pg_get_userbyid(d.datdba),
       array(SELECT r FROM unnest(%(roles)s::text[]) AS r WHERE has_database_privilege(r, d.oid, 'CONNECT')),
       array(SELECT r FROM unnest(%(roles)s::text[]) AS r WHERE has_database_privilege(r, d.oid, 'CREATE')),
       array(SELECT r FROM unnest(%(roles)s::text[]) AS r WHERE has_database_privilege(r, d.oid, 'TEMP')),
       d.datistemplate
FROM pg_database d WHERE d.datallowconn ORDER BY 1
"""
SERVERS = """
SELECT s.srvname, w.fdwname, pg_get_userbyid(s.srvowner), coalesce(s.srvoptions, '{}'),
       array(SELECT usename::text FROM pg_user_mappings m WHERE m.srvid = s.oid),
       array(SELECT r FROM unnest(%(roles)s::text[]) AS r WHERE has_server_privilege(r, s.oid, 'USAGE'))
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw ORDER BY 1
"""
PUBLICATIONS = """
SELECT p.pubname, pg_get_userbyid(p.pubowner), p.puballtables,
       array(SELECT format('%I.%I', t.schemaname, t.tablename) FROM pg_publication_tables t
             WHERE t.pubname = p.pubname),
       EXISTS (SELECT FROM pg_publication_rel r WHERE r.prpubid = p.oid
               AND to_jsonb(r) ->> 'prqual' IS NOT NULL)
FROM pg_publication p ORDER BY 1
"""
CATALOG_GRANTS = """
SELECT r.name, array(SELECT c.relname::text FROM pg_class c
                     WHERE c.relnamespace = 'pg_catalog'::regnamespace
                       AND c.relname IN ('pg_statistic', 'pg_statistic_ext_data', 'pg_authid',
                                         'pg_largeobject', 'pg_subscription', 'pg_user_mapping')
                       AND has_table_privilege(r.name, c.oid, 'SELECT'))
FROM unnest(%(roles)s::text[]) AS r(name)
"""
GIVEN = f"""
SELECT g.kind, g.name, array_agg(DISTINCT ARRAY[a.privilege_type, coalesce(r.rolname::text, '')])
FROM (SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'relation' END, c.oid::text, c.relacl
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {SYSTEM_SCHEMAS}
      UNION ALL SELECT 'schema', n.nspname::text, n.nspacl FROM pg_namespace n WHERE {SYSTEM_SCHEMAS}
      UNION ALL SELECT 'database', d.datname::text, coalesce(d.datacl, acldefault('d', d.datdba))
      FROM pg_database d) AS g(kind, name, acl), aclexplode(g.acl) a
LEFT JOIN pg_roles r ON r.oid = a.grantee GROUP BY 1, 2
"""


def read_roles(connection: Connection) -> dict[str, Role]:
    """Every role that is not built in, and the built-in ones that someone is a member of."""
    become = "SET" if connection.info.server_version >= PRIVILEGES_FROM_16 else "MEMBER"
    return {
        row[0]: made(Role,
            *row[:8], frozenset(row[8]), frozenset(row[9]),
            {name: value for name, _, value in (entry.partition("=") for entry in row[10])},
        )
        for row in rows(connection, ROLES.format(become=become))
    }  # fmt: skip


def read_memberships(connection: Connection) -> tuple[Membership, ...]:
    """Who is a member of what."""
    return tuple(Membership(*row) for row in rows(connection, MEMBERSHIPS))


def read_grants(connection: Connection, roles: Listing[str]) -> dict[str, Grants]:
    """What each of *roles* may do with every relation, down to single columns."""
    arguments = {"roles": list(roles), "privileges": list(TABLE_PRIVILEGES)}
    tables: dict[str, dict[Oid, frozenset[str]]] = {role: {} for role in roles}
    columns: dict[str, dict[tuple[Oid, str], frozenset[str]]] = {role: {} for role in roles}
    for role, oid, held in rows(connection, TABLE_GRANTS, arguments):
        tables[role][oid] = frozenset(held)
    for role, oid, privilege, names in rows(connection, COLUMN_GRANTS, arguments):
        columns[role][oid, privilege] = frozenset(names)
    return {role: Grants(tables[role], columns[role]) for role in roles}


def read_executable(connection: Connection, roles: Listing[str]) -> dict[str, frozenset[Oid]]:
    """The functions each of *roles* may execute."""
    found = rows(connection, FUNCTION_GRANTS, {"roles": list(roles)})
    return {role: frozenset(oids) for role, oids in found}


def read_sequence_grants(
    connection: Connection, roles: Listing[str]
) -> dict[str, dict[Oid, frozenset[str]]]:
    """What each of *roles* may do with every sequence: SELECT, USAGE, UPDATE."""
    found: dict[str, dict[Oid, frozenset[str]]] = defaultdict(dict)
    for role, oid, held in rows(connection, SEQUENCE_GRANTS, {"roles": list(roles)}):
        found[role][oid] = frozenset(held)
    return dict(found)


def read_schemas(connection: Connection, roles: Listing[str]) -> dict[str, Schema]:
    """Every schema outside the system's, with who may use it and create in it."""
    return {
        row[0]: made(Schema, *row[:3], frozenset(row[3]), frozenset(row[4]), row[5])
        for row in rows(connection, SCHEMAS, {"roles": list(roles)})
    }


def read_large_objects(connection: Connection, roles: Listing[str]) -> tuple[LargeObject, ...]:
    """The first thousand large objects, with who may read and write them."""
    return tuple(
        LargeObject(oid, owner, frozenset(readers), frozenset(writers))
        for oid, owner, readers, writers in rows(connection, LARGE_OBJECTS, {"roles": list(roles)})
    )


def read_default_privileges(connection: Connection) -> tuple[DefaultPrivilege, ...]:
    """ALTER DEFAULT PRIVILEGES of this database."""
    return tuple(
        made(
            DefaultPrivilege,
            *row[:3],
            tuple((g, p) for g, _, p in (e.rpartition(" ") for e in row[3])),
        )
        for row in rows(connection, DEFAULT_PRIVILEGES)
    )


def read_databases(connection: Connection, roles: Listing[str]) -> dict[str, Database]:
    """The cluster's databases that take connections."""
    return {
        row[0]: made(Database, row[0], row[1], *(frozenset(r) for r in row[2:5]), row[5])
        for row in rows(connection, DATABASES, {"roles": list(roles)})
    }


def read_servers(connection: Connection, roles: Listing[str]) -> dict[str, ForeignServer]:
    """Foreign servers and who is mapped to a remote user."""
    return {
        row[0]: made(ForeignServer,
            *row[:3], {k: v for k, _, v in (entry.partition("=") for entry in row[3])},
            tuple(row[4]), frozenset(row[5]),
        )
        for row in rows(connection, SERVERS, {"roles": list(roles)})
    }  # fmt: skip


def read_publications(connection: Connection) -> tuple[Publication, ...]:
    """Publications and the tables they send."""
    return tuple(
        made(Publication, *row[:3], tuple(row[3]), row[4]) for row in rows(connection, PUBLICATIONS)
    )


def read_catalog_grants(connection: Connection, roles: Listing[str]) -> dict[str, frozenset[str]]:
    """System catalogs that hold row data or secrets and that each of *roles* may read."""
    return {
        role: frozenset(names)
        for role, names in rows(connection, CATALOG_GRANTS, {"roles": list(roles)})
    }


def read_given(
    connection: Connection,
) -> dict[tuple[Holding, str], frozenset[tuple[str, str]]]:
    """Every grant as it is written, of whatever is not left with its first privileges."""
    return {
        (kind, name): frozenset((privilege, grantee) for privilege, grantee in pairs)
        for kind, name, pairs in rows(connection, GIVEN)
    }
