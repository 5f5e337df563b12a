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
SELECT current_user, r.rolname, r.rolsuper, r.oid = n.nspowner OR EXISTS (
    SELECT FROM pg_catalog.aclexplode(n.nspacl) g WHERE g.grantee IN (r.oid, 0))
FROM pg_catalog.pg_roles r JOIN pg_catalog.pg_namespace n ON n.nspname = %s
WHERE pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER') AND (
    pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')
    OR pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE'))
ORDER BY r.rolname <> current_user, r.rolname
"""
"""The roles that this login is or can become and that can name anything in the schema, and whether
that was granted to them themselves."""

PATIENCE_S = 10


def vet(system: URL, application: URL) -> None:
    """Ask the server of DBOS, as the application's login, what it could read there.

    A server that doesn't let the login in has answered, too.

    Raises:
        UnsafeLogin: when the login could.
        ConfigurationError: when both are one SQLite file.
    """
    if application.get_backend_name() == "sqlite" or system.get_backend_name() == "sqlite":
        if system.database and application.database and same(system.database, application.database):
            raise ConfigurationError(
                "the workflows are to be kept in the tenants' own file: give DbosWorkflows a file "
                "of its own"
            )
        return
    asked = system.set(
        drivername="postgresql", username=application.username, password=application.password
    )
    where = asked.render_as_string(hide_password=False)
    try:
        with closing(psycopg.connect(where, connect_timeout=PATIENCE_S)) as connection:
            found = connection.execute(REACHED.encode(), [SCHEMA]).fetchall()
    except psycopg.OperationalError:
        return
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


def same(one: str, other: str) -> bool:
    """Whether two paths, however they are written, lead to one file."""
    return os.path.realpath(one) == os.path.realpath(other)
