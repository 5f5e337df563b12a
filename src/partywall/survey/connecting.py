"""Connections of a survey: each with a bound on how long it waits and works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from partywall.errors import ConfigurationError
from partywall.survey.entering import without_secret

if TYPE_CHECKING:
    from contextlib import ExitStack

    from partywall.survey.configuration import Configuration
    from partywall.survey.identity import Identity

LOCK_TIMEOUT_MS, STATEMENT_TIMEOUT_MS, CONNECT_TIMEOUT_S = 2_000, 15_000, 10


def connect(url: str, database: str = "") -> psycopg.Connection[Any]:
    """Open a connection whose every statement and lock is bounded in time.

    Raises:
        ConfigurationError: the server can't be reached, or lets nobody in by that URL.
    """
    options = f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS}"
    try:
        known = conninfo_to_dict(url)
        address = make_conninfo(
            url,
            options=f"{known.get('options') or ''} {options}".strip(),
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="partywall",
            **({"dbname": database} if database else {}),
        )
        return psycopg.connect(address, autocommit=True)
    except psycopg.Error as error:
        message = f"can't connect to {without_secret(url)}: {error}".strip()
        raise ConfigurationError(message) from error


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
            connect(tenant.url).close()
        except ConfigurationError as error:
            where = (
                "[anonymous]" if tenant is configuration.anonymous else f"[tenants.{tenant.name}]"
            )
            message = f"{where} url: {error}"
            raise ConfigurationError(message) from error


def session(
    configuration: Configuration, database: str, identity: Identity | None
) -> psycopg.Connection[Any]:
    """A session of *identity*'s own, logged in as the application; the administrator's for None."""
    if identity is None:
        return connect(configuration.url, database)
    return connect(identity.url or configuration.url, identity.database)
