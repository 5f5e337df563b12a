"""Engines that keep jobs in PostgreSQL: whose rows are whose, and the statements of an attack.

The server says which tables and columns there are; an engine only which table holds the jobs, and
which columns point to one. So the tables of a version to come are attacked as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from partywall.survey.jobs.settings import JobsLogin
from partywall.survey.planted import Planted
from partywall.survey.sql import literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from partywall.survey.jobs.settings import Engine

COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, NULL), a.attnotnull,
       a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> ''
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""
VALUES: Mapping[str, str] = {
    "integer": "1", "bigint": "1", "smallint": "1", "numeric": "1", "double precision": "1",
    "boolean": "false", "timestamp with time zone": "2000-01-01", "jsonb": "{}", "json": "{}",
    "uuid": "00000000-0000-4000-8000-000000000001",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """How an engine keeps jobs.

    Attributes:
        main: the table of jobs; all its tables' names begin with *prefix*.
        key: the column of its id.
        pointing: columns of other tables that hold such an id.
        told: columns that hold what a job was given, and what came of it.
        done: columns of a job that nobody will run.
        cancelled: the state of one that was stopped.
        shared: tables that hold no tenant's job.
    """

    main: str
    key: str
    pointing: frozenset[str]
    told: frozenset[str]
    done: Mapping[str, str]
    cancelled: str
    prefix: str = ""
    shared: frozenset[str] = frozenset()


SHAPES: Mapping[Engine, Shape] = {
    "dbos": Shape(
        "workflow_status", "workflow_uuid",
        pointing=frozenset({"workflow_uuid", "destination_uuid"}),
        told=frozenset({"inputs", "output", "error", "request", "message", "value"}),
        done={"status": "SUCCESS", "name": "partywall", "executor_id": "partywall"},
        cancelled="CANCELLED",
        shared=frozenset({"dbos_migrations", "event_dispatch_kv", "application_versions", "queues",
                          "workflow_schedules"}),
    ),
    "procrastinate": Shape(
        "procrastinate_jobs", "id",
        pointing=frozenset({"job_id"}),
        told=frozenset({"args"}),
        done={"status": "succeeded", "queue_name": "partywall", "task_name": "partywall"},
        cancelled="cancelled",
        prefix="procrastinate_",
        shared=frozenset({"procrastinate_workers"}),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column, as the server describes it; *filled* where it fills itself."""

    name: str
    type: str
    needed: bool
    filled: bool

    @property
    def textual(self) -> bool:
        """Whether a canary fits in."""
        return self.type in {"text", "character varying", "jsonb", "json"}


@dataclass(frozen=True, slots=True)
class Sql:
    """Statements in one transaction that is rolled back, unless it is to be kept."""

    statements: tuple[str, ...]
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Job(Planted[JobsLogin]):
    """A planted job of one tenant.

    Attributes:
        id: of the job; "" as long as the server has yet to give one.
        forms: table -> the column that points to the job.
    """

    shape: Shape
    columns: Mapping[str, Sequence[Column]]
    id: str = ""
    forms: Mapping[str, str] = field(default_factory=dict)

    def table(self, name: str) -> str:
        """Qualified and quoted."""
        return f"{quoted(self.login.schema)}.{quoted(name)}"

    def where(self, name: str) -> str:
        """The condition for this job's rows in that table."""
        return f"{quoted(self.forms[name])}::text = {literal(self.id)}"

    def inserted(self, name: str, id_: str) -> str:
        """A statement that makes the job, or a row that points to it."""
        given = {**self.shape.done, **self._own()} if name == self.shape.main else {}
        if id_:
            given[self.forms[name]] = id_
        for column in self.columns[name]:
            if column.name not in given and (value := self._value(column)) is not None:
                given[column.name] = value
        known = {column.name for column in self.columns[name]}
        told = {column: value for column, value in given.items() if column in known}
        names, values = ", ".join(map(quoted, told)), ", ".join(map(literal, told.values()))
        return (
            f"INSERT INTO {self.table(name)} ({names}) VALUES ({values}) "
            f"RETURNING {quoted(self.forms[name])}::text"
        )

    def _own(self) -> dict[str, str]:
        return {name: value.replace("{run}", self.run) for name, value in self.login.row.items()}

    def _value(self, column: Column) -> str | None:
        if column.textual and (column.name in self.shape.told or column.needed > column.filled):
            return f'{{"canary": "{self.canary}"}}' if "json" in column.type else self.canary
        if column.needed and not column.filled:
            return VALUES.get(column.type, "1")
        return None


def forms(columns: Mapping[str, Sequence[Column]], shape: Shape) -> dict[str, str]:
    """Each table that holds something of a job, with its column of the job's id, jobs first."""
    found = {shape.main: shape.key}
    for table, known in columns.items():
        for column in known:
            if table != shape.main and column.name in shape.pointing:
                found.setdefault(table, column.name)
    return found


def untold(columns: Mapping[str, Sequence[Column]], shape: Shape) -> Iterator[str]:
    """Tables of the engine of which it isn't known whether they hold something of a tenant."""
    told = forms(columns, shape)
    yield from (one for one in columns if one not in told and one not in shape.shared)


def quoted(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace('"', '""') + '"'
