"""The answer to entering: psycopg's connections wait for it when the first statement needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import generators
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

from partywall.errors import WallError

if TYPE_CHECKING:
    from partywall.runtime.entering import Entry

ENTRY = "partywall_entry"
"""The attribute of a psycopg connection that holds the entry whose answer is on its way."""


def collect(connection: Any) -> None:
    """Wait until the tenant is entered; nothing is sent on a connection that has not.

    Raises:
        UnknownTenant: when the tenant has no schema.
        psycopg.Error: when the server refused to enter for another reason.
        WallError: when that was raised before, and swallowed.
    """
    if ENTRY not in connection.__dict__:
        return
    with connection.lock:  # of two threads one waits, and the other for it
        entry: Entry | None = connection.__dict__.get(ENTRY)
        if entry is None:
            return
        entry.hold()
        try:
            entered(connection, connection.wait(generators.execute(connection.pgconn)))
        except BaseException as error:
            entry.failed(error)
            raise
    entry.answered()


async def async_collect(connection: Any) -> None:
    """As `collect`, for async code."""
    if ENTRY not in connection.__dict__:
        return
    async with connection.lock:
        entry: Entry | None = connection.__dict__.get(ENTRY)
        if entry is None:
            return
        entry.hold()
        try:
            # As a rule the answer is there by now, and then no loop has to turn for it.
            connection.pgconn.consume_input()
            entered(connection, await connection.wait(generators.execute(connection.pgconn)))
        except BaseException as error:
            entry.failed(error)
            raise
    entry.answered()


def entered(connection: Any, results: list[Any]) -> None:
    """Take the answer for what it is; only a good one lets statements through.

    Raises:
        WallError: when somebody else has read it, past psycopg's cursors.
        psycopg.Error: when the server refused to enter.
    """
    if not results:
        raise WallError(
            "libpq was used before the tenant was entered: begin with a statement of a cursor"
        )
    answer(connection, results[-1])
    del connection.__dict__[ENTRY]


def answer(connection: Any, last: Any) -> str | None:
    """The first value of a message's last result, None where it has no rows.

    Raises:
        psycopg.Error: when the server refused one of the statements.
    """
    if last.status == ExecStatus.FATAL_ERROR:
        raise error_from_result(last, encoding=connection.info.encoding)
    value = last.get_value(0, 0) if last.ntuples else None
    return None if value is None else value.decode()
