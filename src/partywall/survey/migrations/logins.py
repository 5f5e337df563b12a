"""The application's login, where no migration makes it: what it may do, the grants say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.catalog.reader import snapshot
from partywall.survey.detect import likely_logins
from partywall.survey.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psycopg

APPLICATION = "application"
GRANTED = """
SELECT r.rolname FROM pg_roles r
LEFT JOIN (SELECT DISTINCT unnest(polroles) AS role FROM pg_policy) p ON p.role = r.oid
LEFT JOIN (SELECT a.grantee, count(DISTINCT c.oid) AS tables
           FROM pg_class c, aclexplode(c.relacl) a
           WHERE c.relkind IN ('r', 'p') AND a.grantee <> c.relowner
             AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
           GROUP BY a.grantee) g ON g.grantee = r.oid
WHERE (p.role IS NOT NULL OR g.tables > 0)
  AND NOT r.rolsuper AND NOT r.rolbypassrls AND r.rolname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid)
ORDER BY p.role IS NULL, g.tables DESC NULLS LAST, r.rolname LIMIT 1
"""
OPEN_TO_ALL = """
SELECT EXISTS (SELECT FROM pg_class c, aclexplode(c.relacl) a
               WHERE c.relkind IN ('r', 'p') AND a.grantee = 0 AND c.oid >= 16384)
"""
NAMED = "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname = ANY(%s)"


def provide(
    admin: psycopg.Connection[Any], owner: str, declared: Sequence[str], note: Callable[[str], None]
) -> None:
    """Make the *declared* logins, or one login where none is declared, and none was made.

    A login that no migration makes gets what the migrations grant: it becomes a member of the role
    that policies name or that most is granted to. Where nothing is granted to anybody, the
    application can only be the *owner* of the tables.

    Args:
        admin: a superuser's connection that commits by itself.
        owner: the role that ran the migrations.
        declared: the logins that the configuration names.
        note: is told what was made.
    """
    there = dict(admin.execute(NAMED, [list(declared)]).fetchall())
    for name in declared:
        if name in there and not there[name]:
            admin.execute(f"ALTER ROLE {identifier(name)} LOGIN".encode())
    wanted = [name for name in declared if name not in there]
    if not declared and set(likely_logins(snapshot(admin, acting=[]))) <= {owner}:
        wanted = [APPLICATION]
    if not wanted:
        return
    granted = _one(admin, GRANTED)
    if (
        granted is None
        and not _one(admin, OPEN_TO_ALL)
        and len(wanted) == 1
        and owner != "postgres"
    ):
        admin.execute(f"ALTER ROLE {identifier(owner)} RENAME TO {identifier(wanted[0])}".encode())
        note(
            f"the migrations grant nothing to any role: {wanted[0]}, the application's login, owns "
            "the tables"
        )
        return
    for name in wanted:
        member = f" IN ROLE {identifier(granted)}" if granted else ""
        admin.execute(f"CREATE ROLE {identifier(name)} LOGIN{member}".encode())
        part = f", a member of {granted}" if granted else ""
        note(f"no migration makes the login {name}: it was made{part}")


def _one(admin: psycopg.Connection[Any], query: str) -> Any:  # noqa: ANN401 - of any type
    row = admin.execute(query.encode()).fetchone()
    return row[0] if row else None
