"""What stands in a database before and during an upgrade: facts, asked from the catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from psycopg.rows import class_row

from partywall.fleet.queries import CALLERS, CHECKS, COUNTERS, KEYS, REFERENCES, TABLES, VIEWS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg

    from partywall.isolation.row_security import RowSecurity

    Connection = psycopg.Connection[Any]

Fact = TypeVar("Fact")

MIGRATIONS = "alembic_version"
"""Alembic's own table: not a tenant's, and of no use to the application's login."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `column_type`, `required` and `default` are the tenant column's, "" without one.

    Attributes:
        kind: `r`, `p` for a partitioned one, `f` for a foreign one.
        inherits: whether it is a parent, a child or a partition of another.
        by_index: whether it is replicated by an index that was chosen for it.
        walled: whether row security is on, for the owner too.
        dismantlable: whether the application's login could take the wall down as its owner.
        readable: whether the login may read its rows.
        granted: whether it may read and write them, and may do no more.
    """

    oid: int
    name: str
    kind: str
    owner: str
    inherits: bool
    by_index: bool
    column_type: str
    required: bool
    default: str
    walled: bool
    dismantlable: bool
    readable: bool
    granted: bool
    policies: list[str]
    triggers: list[str]


@dataclass(frozen=True, slots=True)
class Key:
    """An index, with the constraint that it serves.

    Attributes:
        kind: of the constraint: `p`, `u`, `x`; "" for a plain index.
        led: whether the tenant column is among its keys.
        body: its definition from the first key on; "" for another kind than btree.
        viewed: whether a view depends on the constraint.
    """

    table: str
    name: str
    kind: str
    unique: bool
    valid: bool
    deferrable: bool
    led: bool
    body: str
    viewed: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key; the actions are the catalog's letters."""

    table: str
    name: str
    target: str
    columns: list[str]
    target_columns: list[str]
    emptied: list[str]
    on_delete: str
    on_update: str
    match_full: bool
    deferrable: bool
    deferred: bool
    valid: bool


@dataclass(frozen=True, slots=True)
class Counter:
    """The sequence of a serial column."""

    table: str
    column: str
    schema: str
    name: str
    required: bool
    start: int
    step: int
    cache: int


@dataclass(frozen=True, slots=True)
class View:
    """A view over tenants' tables, directly or through another view.

    Attributes:
        stored: whether it is materialized: it holds rows, and no policy can stand on it.
        unbound: whether it reads as an owner whom no policy binds.
    """

    name: str
    stored: bool
    unbound: bool


@dataclass(frozen=True, slots=True)
class Existing:
    """A database as an upgrade finds it.

    Attributes:
        tables: all of the application's, by name.
        keys: of the tenants' tables, primary keys first.
        references: from or to a tenants' table.
        checks: (table, constraint) -> whether validated.
        counters: of the tenants' tables.
        views: over them.
        called_by: who may call the function that says who acts: `nobody` where there is none yet,
            `owner`, `login`, or `everyone` while it is a bridge.
    """

    tables: Mapping[str, Table]
    keys: tuple[Key, ...]
    references: tuple[Reference, ...]
    checks: Mapping[tuple[str, str], bool]
    counters: tuple[Counter, ...]
    views: tuple[View, ...]
    called_by: str


def tables(connection: Connection, model: RowSecurity, login: str) -> dict[str, Table]:
    """The application's tables by name: neither the server's, an extension's nor partywall's."""
    asked = {"column": model.column, "schema": model.schema, "login": login}
    return {table.name: table for table in values(connection, Table, TABLES, asked)}


def read(
    connection: Connection,
    model: RowSecurity,
    login: str,
    every: Mapping[str, Table],
    owned: Sequence[str],
) -> Existing:
    """What stands round the tenants' tables, in a fixed number of queries."""
    asked = {
        "column": model.column,
        "schema": model.schema,
        "login": login,
        "owned": [every[name].oid for name in owned],
    }
    checks = connection.execute(CHECKS.encode(), asked).fetchall()
    return Existing(
        tables=every,
        keys=values(connection, Key, KEYS, asked),
        references=values(connection, Reference, REFERENCES, asked),
        checks={(table, name): valid for table, name, valid in checks},
        counters=values(connection, Counter, COUNTERS, asked),
        views=values(connection, View, VIEWS, asked),
        called_by=(connection.execute(CALLERS.encode(), asked).fetchone() or ("nobody",))[0],
    )


def values(
    connection: Connection, kind: type[Fact], query: str, asked: Mapping[str, Any]
) -> tuple[Fact, ...]:
    """The rows of *query* as facts, whose fields are its columns."""
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return tuple(cursor.execute(query.encode(), asked))
