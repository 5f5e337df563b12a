"""The smoke survey of a new tenant's walls, before anybody is let in.

The application's own login asks, in the tenant's own session. Every answer that must be a refusal
has its control: a row of ours, the canary, which the tenant can insert and read in the same
transaction in which a stranger, and nobody at all, can't. It is rolled back. What can't be shown
is a failure with a reason, and never a pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy.exc import DBAPIError

from partywall.context import TenantContext
from partywall.control.database import new_id
from partywall.control.provisioning.canary import OVERRIDING, columns_of, inserts
from partywall.control.provisioning.owner import run, sent
from partywall.errors import WorkError
from partywall.isolation.naming import identifier, literal
from partywall.runtime.lending import ANALYSED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from partywall.control.provisioning.sites.site import Design
    from partywall.isolation.plan import IsolationModel

# What a name means to the tenant's session, and whether it may read what it means.
LOCATED = """
SELECT t.name, n.nspname::text, coalesce(pg_catalog.has_table_privilege(c.oid, 'SELECT'), false)
FROM pg_catalog.unnest(ARRAY[{names}]::text[]) AS t (name)
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(t.name)
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
"""
CLOSED = "42501"
"""insufficient_privilege: of the server, and of the function that says who acts."""

COLLIDED = "23505"
"""unique_violation: what met the canary's own key had passed the wall."""

POINT = "partywall_smoke"

ABSENT = "42P01"
"""undefined_table"""


def stranger() -> TenantContext:
    """A tenant that there is not."""
    return TenantContext(new_id())


def located(connection: Connection, tables: Sequence[str], schema: str | None = None) -> None:
    """Hold every table to be there, and to be what its name means in this session.

    Args:
        connection: of the tenant.
        tables: as statements name them, quoted.
        schema: where they must be found; None where the names say it.

    Raises:
        WorkError: naming those that are missing, that mean another, that can't be read.
    """
    if not tables:
        raise WorkError("the tenant's place has no table, so that nothing can be shown of it")
    names = ", ".join(literal(table) for table in tables)
    for table, where, readable in run(connection, LOCATED.format(names=names)):
        if where is None:
            raise WorkError(f"the table {table} is missing in the tenant's place")
        if schema is not None and where != schema:
            raise WorkError(f"the name {table} means a table in {where}, not the tenant's own")
        if not readable:
            raise WorkError(f"the application's login may not read the tenant's table {table}")


def planted(
    connection: Connection,
    design: Design,
    tables: Sequence[str],
    *,
    given: Mapping[str, str] | None = None,
    where: str = "",
    key: str = "",
) -> tuple[str, str]:
    """The control: insert a canary as the tenant, and read it; its table and its statement.

    Args:
        connection: of the tenant, in a transaction that will be rolled back.
        design: may know a canary already, or say how one is inserted.
        tables: that could take one, as statements name them.
        given: literals of columns that every row needs.
        where: a condition that every query of the tenant needs.
        key: under which what was found is kept, "" for not at all.

    Raises:
        WorkError: when no table takes one, or what was inserted can't be read.
    """
    known = design.known.get(key, "").partition("\n")
    if design.canary is not None:
        table = attempt(connection, design.canary)
        if table is not None:
            return table, ""
        raise WorkError("the canary of Building(canary=…) could not be inserted")
    if known[0] and grown(connection, known[0], known[2], where):
        return known[0], known[2]
    required = columns_of(connection, tables)
    overriding = "" if connection.dialect.name == "sqlite" else OVERRIDING
    for table, insert in inserts(tables, required, dict(given or {}), overriding=overriding):
        if grown(connection, table, insert, where):
            if key:
                design.known[key] = f"{table}\n{insert}"
            return table, insert
    raise WorkError(
        "no row of ours could be inserted and read in any of the tenant's tables, so that nothing "
        "can be shown of its walls: say how, with Building(canary=…), or see what the "
        "application's login may do there"
    )


def grown(connection: Connection, table: str, insert: str, where: str = "") -> bool:
    """Whether *insert* adds to what is read of *table*; a statement that fails is taken back."""
    counting = f"SELECT count(*) FROM {table}{where}"
    if spoken_to(connection):
        driver: Any = connection.connection.driver_connection
        state, values = told(driver, f"SAVEPOINT {POINT}", counting, insert, counting)
        if state:
            sent(driver, f"ROLLBACK TO SAVEPOINT {POINT}")
        return not state and values[3] == values[1] + 1

    def grow(connection: Connection) -> bool:
        before = counted(connection, table, where)
        run(connection, insert)
        return counted(connection, table, where) == before + 1

    return bool(attempt(connection, grow))


def spoken_to(connection: Connection) -> bool:
    """Whether statements may go to the driver directly, several in one message.

    Not on SQLite, and not where SQLAlchemy is what stands between a statement and the server.
    """
    return connection.dialect.name == "postgresql" and not hasattr(connection.dialect, ANALYSED)


def told(driver: Any, *statements: str) -> tuple[str, list[Any]]:  # noqa: ANN401 - psycopg's
    """Execute *statements* in one message: the SQLSTATE, "" when all went through, and values.

    A value is the first of the first row, or how many rows a statement changed.
    """
    values = []
    try:
        cursor = driver.execute(";\n".join(statements).encode())
        more = True
        while more:
            row = cursor.fetchone() if cursor.description else None
            values.append(row[0] if row else cursor.rowcount)
            more = cursor.nextset()
    except psycopg.Error as error:
        return error.sqlstate or type(error).__name__, values
    return "", values


def attempt(connection: Connection, what: Any) -> Any:  # noqa: ANN401 - whatever it returns
    """What a function returns on the connection; None, and nothing of it, when it fails there."""
    savepoint = connection.begin_nested()
    try:
        found = what(connection)
    except DBAPIError:
        savepoint.rollback()
        return None
    savepoint.commit()
    return found


def counted(connection: Connection, table: str, where: str = "") -> int:
    """How many rows the session sees."""
    query = f"SELECT count(*) FROM {table}{where}"
    return int(run(connection, query).scalar_one())


def answer(connection: Connection, *statements: str) -> tuple[str, Any]:
    """The SQLSTATE of the last of *statements*, "" when it went through, and its value.

    Those before it must go through, or their error is raised. All of it is taken back.
    """
    *before, last = statements
    if spoken_to(connection):
        driver: Any = connection.connection.driver_connection
        opening = [f"SAVEPOINT {POINT}", *before]
        if before:  # apart, so that what is refused is known to be the last
            sent(driver, *opening)
            opening = []
        state, values = told(driver, *opening, last)
        sent(driver, f"ROLLBACK TO SAVEPOINT {POINT}")
        return state, values[-1] if values else None
    savepoint = connection.begin_nested()
    try:
        for statement in before:
            run(connection, statement)
        result = run(connection, last)
        value = result.scalar() if result.returns_rows else result.rowcount
    except DBAPIError as error:
        return getattr(error.orig, "sqlstate", None) or type(error.orig).__name__, None
    finally:
        savepoint.rollback()
    return "", value


def refused(connection: Connection, who: str, states: frozenset[str], *statements: str) -> None:
    """Hold the last of *statements* to be refused.

    Raises:
        WorkError: when it goes through, or fails for another reason than a wall.
    """
    state, _ = answer(connection, *statements)
    if state in {"", COLLIDED}:
        raise WorkError(f"{who} could reach the tenant's canary")
    if state not in states:
        raise WorkError(f"that {who} can't reach the tenant's canary could not be shown: {state}")


def entering(
    connection: Connection, model: IsolationModel, context: TenantContext
) -> tuple[str, ...]:
    """The statements that enter a tenant in the middle of a transaction, with its proof."""
    if not model.challenge:
        return model.enter(context)
    asked = run(connection, model.challenge).scalar_one()
    return model.prove(context, str(asked))


def quoted(names: Sequence[str]) -> tuple[str, ...]:
    """Names as statements write them."""
    return tuple(identifier(name) for name in names)
