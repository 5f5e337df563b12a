"""Moves an existing schema onto row security while the application runs.

::

    upgrade(url, RowSecurity(), tenant, login="app", until="walls")  # roll the new version out
    upgrade(url, RowSecurity(), tenant, login="app")

Any step can be broken off, by `kill -9` too: the catalog says what is done, and running again goes
on. What takes a strong lock waits for it no longer than `lock_timeout_s`, gives way, and tries
again after a pause.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import make_url

from partywall.context import identified
from partywall.errors import UpgradeError
from partywall.fleet import existing, refusals
from partywall.fleet.steps import STAGES, Move, Stage, Step, steps
from partywall.fleet.work import Work

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from partywall.isolation.row_security import RowSecurity

    Connection = psycopg.Connection[Any]
    Database = str | Callable[[], Connection]
    Progress = Callable[[Step, str], None]

LOCK_TIMEOUT_S = 0.5  # below deadlock_timeout's 1 s: it is the upgrade that gives way, not a user
PATIENCE_S = 60.0
BATCH_ROWS = 5000


def plan(
    connection: Connection,
    model: RowSecurity,
    tenant: object,
    *,
    login: str,
    tables: Iterable[str] | None = None,
    tenant_of: Mapping[str, str] | None = None,
) -> tuple[Step, ...]:
    """The steps that move the tables onto row security, each with its SQL and whether it is done.

    Changes nothing. For the arguments see `upgrade`.

    Raises:
        ConfigurationError: naming what can't be moved, and the mend.
    """
    with connection.transaction():
        connection.execute("SET LOCAL search_path = pg_catalog")
        refusals.roles(connection, login)
        every = existing.tables(connection, model, login)
        owned, shared = refusals.selected(every, model, tables)
        mapped = {refusals.full(name): said for name, said in (tenant_of or {}).items()}
        move = Move(model, identified(tenant), login, owned, shared, mapped)
        found = existing.read(connection, model, login, every, owned)
        refusals.refuse(move, found)
        return steps(move, found)


def upgrade(  # noqa: PLR0913 - what is moved, and how patiently
    database: Database,
    model: RowSecurity,
    tenant: object,
    *,
    login: str,
    tables: Iterable[str] | None = None,
    tenant_of: Mapping[str, str] | None = None,
    until: Stage = "cutover",
    lock_timeout_s: float = LOCK_TIMEOUT_S,
    patience_s: float = PATIENCE_S,
    batch_rows: int = BATCH_ROWS,
    progress: Progress | None = None,
) -> None:
    """Move the tables onto row security while the application goes on reading and writing.

    Args:
        database: the address, or what connects; straight to the server, as a role that owns the
            tables or may, and is not the application's.
        model: the walls that shall stand.
        tenant: the id of the one tenant whose rows these are.
        login: the role the (new) application logs in as.
        tables: the tenants' tables; without it all but `model.shared` and Alembic's.
        tenant_of: table -> SQL over its columns that says whose a row is, where rows belong to
            several tenants already; names in it are qualified.
        until: the last stage, see `partywall.fleet.steps`. After `walls` both the old version of
            the application and the new one can run; after `cutover` only one that sets a tenant.
        lock_timeout_s: how long a step may wait for a strong lock, and thus others behind it.
        patience_s: how long to try a step again, or to wait for another upgrade.
        batch_rows: about how many rows to write in one transaction.
        progress: is told of each step as it begins, waits and ends.

    Raises:
        ConfigurationError: naming what can't be moved, and the mend; nothing was changed.
        UpgradeError: when a step could not be done; what was done stands.
    """
    with connected(database) as connection:
        work = Work(connection, lock_timeout_s, patience_s, batch_rows, progress or silent)
        with work.alone():
            todo = plan(connection, model, tenant, login=login, tables=tables, tenant_of=tenant_of)
            for step in todo:
                if not step.done and STAGES.index(step.stage) <= STAGES.index(until):
                    work.do(step)


def silent(step: Step, said: str) -> None:
    """Tell nobody."""


@contextmanager
def connected(database: Database) -> Iterator[Connection]:
    """A connection of the upgrade's own; names in its SQL are qualified.

    Raises:
        UpgradeError: when the server refuses it.
    """
    try:
        if callable(database):
            connection = database()
        else:
            url = make_url(database).set(drivername="postgresql")
            connection = psycopg.connect(url.render_as_string(hide_password=False))
    except psycopg.OperationalError as error:
        raise UpgradeError("no connection could be made to upgrade the schema") from error
    with connection:
        connection.autocommit = True
        connection.execute("SET search_path = pg_catalog")
        connection.execute("SET statement_timeout = 0")
        yield connection
