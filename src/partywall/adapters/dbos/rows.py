"""What DBOS has no call for: an execution is laid aside for a while, and holds no thread meanwhile.

Three columns of DBOS's own tables, which its documentation names, are written here and nowhere
else. An execution that is laid aside is DELAYED, as one that was started with a delay; when the
time has come DBOS itself puts it into its queue again.
https://docs.dbos.dev/explanations/system-tables
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    Text,
    and_,
    bindparam,
    case,
    column,
    create_engine,
    event,
    select,
    table,
    update,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from sqlalchemy import URL, Connection, TableClause

    from partywall.runtime.workflows.values import Place

SCHEMA = "dbos"
FOREVER_MS = 2**62
CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class SystemDatabase:
    """Where DBOS keeps its workflows."""

    url: URL

    @property
    def sqlite(self) -> bool:
        """Whether it is a file."""
        return self.url.get_backend_name() == "sqlite"


class Rows:
    """The rows of DBOS's executions."""

    def __init__(self, database: SystemDatabase) -> None:
        schema = None if database.sqlite else SCHEMA
        self._database = database
        self._engine = create_engine(
            database.url, pool_size=CONNECTIONS, max_overflow=0, pool_pre_ping=True
        )
        if database.sqlite:
            event.listen(self._engine, "begin", at_once)
        self._executions = named(
            "workflow_status",
            schema,
            ("workflow_uuid", "status", "executor_id", "owner_xid", "queue_name"),
            ("delay_until_epoch_ms", "started_at_epoch_ms", "updated_at"),
        )
        self._signals = table(
            "notifications",
            column("destination_uuid", Text),
            column("topic", Text),
            column("consumed", Boolean),
            schema=schema,
        )

    def lay_aside(self, place: Place, until_s: float | None, signal: str | None = None) -> None:
        """Take an execution out of work until a moment, or until it is told something.

        Args:
            place: the execution, which this process runs.
            until_s: the moment, in seconds since 1970; None: only when it is told something.
            signal: what it waits for; one that is there already ends the wait at once.
        """
        rows, told = self._executions.c, self._signals.c
        until: Any = FOREVER_MS if until_s is None else int(until_s * 1000)
        if signal is not None:
            there = and_(
                told.destination_uuid == place.key,
                told.topic == signal,
                told.consumed == False,  # noqa: E712 - SQL
            )
            until = case((select(1).where(there).exists(), milliseconds()), else_=until)
        with self._engine.begin() as connection:
            self._lock(connection, place)  # so that a signal comes before this, or wakes it
            connection.execute(
                update(self._executions)
                .where(rows.workflow_uuid == place.key, rows.status == "PENDING")
                .values(
                    status="DELAYED",
                    delay_until_epoch_ms=until,
                    owner_xid=None,
                    started_at_epoch_ms=None,
                    updated_at=milliseconds(),
                )
            )

    def wake(self, place: Place) -> None:
        """Let an execution go on that was laid aside, once it was told something."""
        rows = self._executions.c
        with self._engine.begin() as connection:
            self._lock(connection, place)
            connection.execute(
                update(self._executions)
                .where(
                    rows.workflow_uuid == place.key,
                    rows.status == "DELAYED",
                    rows.executor_id.is_not(None),  # or it is to begin later
                )
                .values(delay_until_epoch_ms=milliseconds(), updated_at=milliseconds())
            )

    def executors(self, queue: str) -> set[str]:
        """The processes that run executions of a queue, or did when they died."""
        rows = self._executions.c
        query = (
            select(rows.executor_id)
            .where(rows.queue_name == queue, rows.status == "PENDING")
            .distinct()
        )
        with self._engine.begin() as connection:
            return {str(each) for each in connection.execute(query).scalars()}

    def taken(self, queue: str, executor: str) -> list[str]:
        """The keys of the executions that a process runs, or would if it still could."""
        rows = self._executions.c
        query = select(rows.workflow_uuid).where(
            rows.queue_name == queue, rows.status == "PENDING", rows.executor_id == executor
        )
        with self._engine.begin() as connection:
            return list(connection.execute(query).scalars())

    def requeue(self, keys: Iterable[str], executor: str) -> None:
        """Put into their queue again what a process will not end; their time-outs go on."""
        named = [{"key": key} for key in keys]
        if not named:
            return
        rows = self._executions.c
        with self._engine.begin() as connection:
            connection.execute(
                update(self._executions)
                .where(
                    rows.workflow_uuid == bindparam("key"),
                    rows.status == "PENDING",
                    rows.executor_id == executor,
                )
                .values(
                    status="ENQUEUED",
                    owner_xid=None,
                    started_at_epoch_ms=None,
                    updated_at=milliseconds(),
                ),
                named,
            )

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _lock(self, connection: Connection, place: Place) -> None:
        rows = self._executions.c
        query = select(rows.status).where(rows.workflow_uuid == place.key).with_for_update()
        connection.execute(query)


def named(
    name: str, schema: str | None, texts: Iterable[str], numbers: Iterable[str]
) -> TableClause:
    """A table of which only some columns are known."""
    columns = [column(each, Text) for each in texts]
    return table(name, *columns, *(column(each, BigInteger) for each in numbers), schema=schema)


def at_once(connection: Connection) -> None:
    """Let a transaction of SQLite begin as the only writer: one that becomes it later may fail."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def milliseconds() -> int:
    """Now, as DBOS writes it."""
    return int(time.time() * 1000)
