"""Connections of a survey: each with a bound on how long it waits and works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import make_conninfo

from partywall.errors import ConfigurationError, Unreachable
from partywall.survey.addresses import parts, without_secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import ExitStack

    from partywall.survey.configuration import Configuration
    from partywall.survey.identity import Identity

LOCK_TIMEOUT_MS, STATEMENT_TIMEOUT_MS, CONNECT_TIMEOUT_S = 2_000, 15_000, 10
BOUNDED = {
    "lock_timeout": str(LOCK_TIMEOUT_MS),
    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
}
NEUTRAL = {
    "role": "none",
    "default_transaction_read_only": "off",
    "default_transaction_isolation": r"read\ committed",
    "row_security": "on",
    "standard_conforming_strings": "on",
    "DateStyle": "ISO",
}
"""What settings of the administrator's role or of the database may not change for a survey."""
UNLIMITED = {"lock_timeout": "0", "statement_timeout": "0"}
POOLED = "unsupported startup parameter"
OLDER_THAN_14 = 'unrecognized configuration parameter "idle_session_timeout"'
TRANSACTIONS_BOUNDED = 170000
"""The first version with transaction_timeout."""


def connect(url: str, database: str = "") -> psycopg.Connection[Any]:
    """Open an administrator's connection whose every statement and lock is bounded in time.

    Raises:
        ConfigurationError: the server can't be reached, or lets nobody in by that URL.
    """
    return _connected(url, database, BOUNDED | NEUTRAL)


def log_on(url: str, database: str = "") -> psycopg.Connection[Any]:
    """Open a connection as the application does: all settings but the bounds are its own.

    Raises:
        ConfigurationError: the server can't be reached, or lets nobody in by that URL.
    """
    return _connected(url, database, BOUNDED)


def options(settings: Mapping[str, str]) -> str:
    """*settings* as a connection's ``options``: they go before those of roles and databases."""
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


def _connected(url: str, database: str, settings: Mapping[str, str]) -> psycopg.Connection[Any]:
    known = parts(url)
    there = without_secret(make_conninfo(url, dbname=database) if database else url)
    address = make_conninfo(
        url,
        options=f"{known.get('options') or ''} {options(settings)}".strip(),
        client_encoding="UTF8",
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name="partywall",
        **({"dbname": database} if database else {}),
    )
    try:
        connection = psycopg.connect(address, autocommit=True)
        newer = connection.info.server_version >= TRANSACTIONS_BOUNDED
        if newer and "transaction_timeout" not in settings and _in_a_hurry(connection):
            connection.close()
            return _connected(url, database, {**settings, "transaction_timeout": "0"})
    except psycopg.Error as error:
        raise _refused(there, error) from error
    return connection


def _in_a_hurry(connection: psycopg.Connection[Any]) -> bool:
    """Whether transactions are ended after some time, which may be too short to ask for it."""
    try:
        row = connection.execute("SHOW transaction_timeout").fetchone()
    except psycopg.OperationalError:
        return connection.closed
    return row is not None and row[0] != "0"


def _refused(there: str, error: psycopg.Error) -> ConfigurationError:
    words = str(error).strip()
    if POOLED in words:
        return ConfigurationError(
            f"{there} is a connection pooler: a survey sets up its own sessions, and needs the "
            "address of the PostgreSQL server itself"
        )
    if OLDER_THAN_14 in words:
        return ConfigurationError(f"{there} is older than PostgreSQL 14: 14 to 18 are served")
    return Unreachable(f"can't connect to {there}: {words}")


def opened(stack: ExitStack, url: str, database: str) -> psycopg.Connection[Any]:
    """Open a connection that *stack* closes; its own `with` would commit what is planted."""
    connection = connect(url, database)
    stack.callback(connection.close)
    return connection


def log_in(configuration: Configuration) -> None:
    """Log in once as each declared tenant: an address nobody can use is an error, not a held wall.

    Raises:
        ConfigurationError: a log-in failed; the message names the tenant.
    """
    for tenant in (*configuration.tenants, configuration.anonymous):
        if tenant is None or tenant.assumed:
            continue
        try:
            log_on(tenant.url).close()
        except ConfigurationError as error:
            where = (
                "[anonymous]" if tenant is configuration.anonymous else f"[tenants.{tenant.name}]"
            )
            message = f"{where} url: {error}"
            raise type(error)(message) from error


def session(
    configuration: Configuration, database: str, identity: Identity | None
) -> psycopg.Connection[Any]:
    """A session of *identity*'s own, logged in as the application; the administrator's for None."""
    if identity is None:
        return connect(configuration.url, database)
    if identity.url is None:
        return connect(configuration.url, identity.database)
    return log_on(identity.url, identity.database)
