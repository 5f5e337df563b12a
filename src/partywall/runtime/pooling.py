"""A pooler between: whether it is what `Tenancy(pooler=…)` says, asked before the first session.

A proxy gives away itself: the process that it names at log-in is not the one that answers. What it
does between two transactions is tried out, with a setting of the session that holds nothing.
https://www.pgbouncer.org/features.html
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from partywall.errors import ConfigurationError
from partywall.isolation.naming import identifier, literal

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from partywall.runtime.dialects import Walled
    from partywall.runtime.ground import Terms

TRIES = 10
PROCESS = "SELECT pg_catalog.pg_backend_pid()::pg_catalog.text"
LEAVE = (
    "SELECT pg_catalog.pg_backend_pid()::pg_catalog.text "
    "FROM pg_catalog.set_config('partywall.left', {}, false)"
)
FIND = (
    "SELECT pg_catalog.concat(pg_catalog.pg_backend_pid(), ' ', "
    "pg_catalog.current_setting('partywall.left', true))"
)
DEFAULT = "SELECT reset_val FROM pg_catalog.pg_settings WHERE name = {}"
LOGIN = "SELECT session_user::pg_catalog.text"

KEPT = (
    "the pooler lends a server session on without clearing it: what one tenant leaves there, "
    "another would meet. Set server_reset_query = DISCARD ALL and server_reset_query_always = 1 "
    "in pgbouncer.ini, and reload it"
)
LOST = (
    "a pooler is between that gives each transaction another server session: say so with "
    'Tenancy(…, pooler="transaction"), or connect to the server itself'
)


def watch(engine: Engine, terms: Terms) -> None:
    """Have the first connections of *engine* answer, until one has settled it."""
    dialect: Any = engine.dialect
    settled = False

    def first(connection: Any, record: object) -> None:
        nonlocal settled
        del record
        if not settled:
            try:
                settled = examined(dialect, connection, terms)
            except BaseException:
                dialect.do_close(connection)  # the pool lets go of it without
                raise

    event.listen(engine, "connect", first)


def examined(dialect: Walled, connection: Any, terms: Terms) -> bool:
    """Hold the way to the server against what was said of it; whether that could be settled.

    Raises:
        ConfigurationError: when a pooler is between that nothing was said of, when it lends
            sessions on uncleared, or when they don't begin as the model needs them.
    """
    if terms.pooled_per_transaction:
        begins_well(dialect, connection, terms)
    if asked(dialect, connection, PROCESS) == str(process_named(connection)):
        return True
    if terms.pooled_per_transaction:
        return discards(dialect, connection)
    mark = uuid.uuid4().hex
    left_in = asked(dialect, connection, LEAVE.format(literal(mark)))
    if asked(dialect, connection, FIND) != f"{left_in} {mark}":
        raise ConfigurationError(LOST)
    asked(dialect, connection, LEAVE.format("''"))
    return True


def begins_well(dialect: Walled, connection: Any, terms: Terms) -> None:
    """Make sure of the settings that can't be given at log-in when a pooler has logged in before.

    Raises:
        ConfigurationError: with the statement that sets them.
    """
    for name, value in terms.model.settings().items():
        found = asked(dialect, connection, DEFAULT.format(literal(name)))
        if found != value:
            login = asked(dialect, connection, LOGIN) or ""
            written = literal("" if value == '""' else value)
            raise ConfigurationError(
                f"behind a pooler sessions begin with {name} = {found}, and have to begin with "
                f"{value}: write ALTER ROLE {identifier(login)} SET {name} = {written}; then "
                "RECONNECT in the pooler's console, for the sessions that are open"
            )


def discards(dialect: Walled, connection: Any) -> bool:
    """Whether the pooler was seen to clear a session; False when none came back in time.

    Raises:
        ConfigurationError: when one came back as it was left.
    """
    for _ in range(TRIES):
        mark = uuid.uuid4().hex
        left_in = asked(dialect, connection, LEAVE.format(literal(mark)))
        found_in, _, found = (asked(dialect, connection, FIND) or "").partition(" ")
        if found == mark:
            raise ConfigurationError(KEPT)
        if found_in == left_in:
            return True
    return False


def asked(dialect: Walled, connection: Any, question: str) -> str | None:
    """The server's answer, in a transaction: there a pooler keeps asyncpg's messages together."""
    answer = dialect.send(connection, ("BEGIN", question), valued=True)
    dialect.send(connection, ("COMMIT",))
    return answer


def process_named(connection: Any) -> int:
    """The server process that was named at log-in."""
    driver = getattr(connection, "driver_connection", connection)
    named: int = (
        driver.get_server_pid() if hasattr(driver, "get_server_pid") else driver.info.backend_pid
    )
    return named
