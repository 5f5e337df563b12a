"""Refuse to start when the application's own login could read what DBOS keeps.

Who runs SQL as a tenant, by an injection, does it as the application's login. What DBOS keeps is
encrypted; its rows still say which tenant runs what and when, and whoever writes them could have
workers run what was pickled there.
"""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg

from partywall.adapters.dbos.rows import SCHEMA
from partywall.errors import ConfigurationError, UnsafeLogin
from partywall.isolation.naming import identifier

if TYPE_CHECKING:
    from sqlalchemy import URL

REACHED = """
SELECT l.rolname, r.rolname, r.rolsuper, r.oid = n.nspowner OR EXISTS (
    SELECT FROM pg_catalog.aclexplode(n.nspacl) g WHERE g.grantee IN (r.oid, 0))
FROM pg_catalog.pg_roles l
JOIN pg_catalog.pg_roles r ON pg_catalog.pg_has_role(l.oid, r.oid, 'MEMBER')
JOIN pg_catalog.pg_namespace n ON n.nspname = %(schema)s
WHERE l.rolname = coalesce(%(login)s::name, current_user) AND l.rolcanlogin
AND pg_catalog.has_database_privilege(l.oid, current_database(), 'CONNECT')
AND (pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')
    OR pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE'))
ORDER BY r.rolname <> l.rolname, r.rolname
"""
"""The roles that a login, or this one, is or can become and that can name anything in the schema,
and whether that was granted to them themselves."""

PORT = 5432
PATIENCE_S = 10


def vet(system: URL, application: URL) -> None:
    """Ask the server of DBOS, as the application's login, what it could read there.

    A server that doesn't let it in has answered, too, unless it is the application's own: there the
    login may only have no connection left at the moment, and DBOS's login asks in its stead.

    Raises:
        UnsafeLogin: when the login could.
        ConfigurationError: when both are one SQLite file.
        psycopg.OperationalError: when neither the login nor DBOS's own gets in where both should.
    """
    if application.get_backend_name() == "sqlite" or system.get_backend_name() == "sqlite":
        if system.database and application.database and same(system.database, application.database):
            raise ConfigurationError(
                "the workflows are to be kept in the tenants' own file: give DbosWorkflows a file "
                "of its own"
            )
        return
    asked = system.set(username=application.username, password=application.password)
    try:
        found = reached(asked)
    except psycopg.OperationalError:
        if not application.username or place(system) != place(application):
            return
        found = reached(system, application.username)
    if not found:
        return
    login = found[0][0]
    granted = [role for _, role, _, directly in found if directly and role == login]
    others = [role for _, role, _, _ in found if role != login]
    if any(superuser for _, role, superuser, _ in found if role == login):
        mend = "give the application a login that is no superuser"
    elif granted or not others:
        mend = (
            f"REVOKE ALL ON SCHEMA {SCHEMA} FROM PUBLIC, {identifier(login)}, and give "
            "DbosWorkflows(url) a login of its own, which owns the schema"
        )
    else:
        mend = f"REVOKE {identifier(others[0])} FROM {identifier(login)}"
    raise UnsafeLogin(
        f"the application's login {login} could read what the workflow engine keeps of every "
        f"tenant, in the schema {SCHEMA}: {mend}"
    )


def reached(url: URL, login: str | None = None) -> list[tuple[str, str, bool, bool]]:
    """What *login*, or the one of *url*, could name anything with in DBOS's schema."""
    where = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(where, connect_timeout=PATIENCE_S)) as connection:
        return connection.execute(REACHED.encode(), {"schema": SCHEMA, "login": login}).fetchall()


def place(url: URL) -> tuple[str, int]:
    """The server that a URL leads to."""
    return url.host or "", url.port or PORT


def same(one: str, other: str) -> bool:
    """Whether two paths, however they are written, lead to one file."""
    return os.path.realpath(one) == os.path.realpath(other)
