"""Addresses of databases: understood, and shown without what is secret in them."""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from partywall.errors import ConfigurationError

FORM = "write it as postgresql://role@host:port/database"
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")


def parts(url: str, where: str = "the database's URL") -> dict[str, Any]:
    """What *url* says, by libpq's names.

    Raises:
        ConfigurationError: it is no address of a PostgreSQL database. libpq's own words quote it,
            password and all, so they are not passed on.
    """
    try:
        return conninfo_to_dict(url)
    except psycopg.Error:
        pass
    scheme = SCHEME.match(url)
    fault = "is no address of a PostgreSQL database"
    if scheme and scheme[0] not in {"postgresql://", "postgres://"}:
        fault = f"begins with {scheme[0]}, which PostgreSQL's own library does not understand"
    raise ConfigurationError(f"{where}: it {fault}; {FORM}")


def login_of(url: str, where: str) -> tuple[str, str]:
    """The (role, database) that a connection URL logs in as and to."""
    known = parts(url, where)
    role = str(known.get("user") or "")
    if not role:
        message = f"{where}: the URL names no role; write postgresql://ROLE@host/database"
        raise ConfigurationError(message)
    return role, str(known.get("dbname") or role)


def without_secret(url: str) -> str:
    """*url* fit for a report: host, port and database, no role and no password."""
    known = parts(url)
    host = str(known.get("host") or known.get("hostaddr") or "")
    port = f":{known['port']}" if known.get("port") else ""
    there = "local socket" if not host or host.startswith(("/", "@")) else host
    database = f"/{known['dbname']}" if known.get("dbname") else ""
    return f"{there}{port}{database}"
