"""Ask the target itself which columns hold the declared tenants' ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from partywall.survey.ownership import REGISTRY, TENANT_COLUMN, fits
from partywall.survey.sql import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from partywall.catalog.facts import Relation, Snapshot
    from partywall.model import TenancyModel
    from partywall.survey.expressions import Place

BATCH, SCANNED_BYTES, TELLING_DIGITS = 40, 256 * 1024 * 1024, 6


def holding(
    connection: psycopg.Connection[Any], snapshot: Snapshot, ids: Sequence[str]
) -> frozenset[Place]:
    """Columns of the database of *connection* in which every one of *ids* occurs.

    Only columns whose name does not decide already are looked at, and of numbers none: 1 and 2
    occur everywhere. Large tables are looked at where an index helps; nothing is read but whether
    a row exists.
    """
    wanted = [value for value in ids if value]
    if not wanted:
        return frozenset()
    places = list(_candidates(snapshot, wanted))
    found: set[Place] = set()
    for start in range(0, len(places), BATCH):
        batch = places[start : start + BATCH]
        questions = ", ".join(_question(table, column, wanted) for table, column, _ in batch)
        try:
            row = connection.execute(f"SELECT {questions}".encode()).fetchone()
        except psycopg.Error:
            continue  # a hint less, never an error: the names and policies still speak
        found.update(
            (table, name) for (table, _, name), here in zip(batch, row or (), strict=False) if here
        )
    return frozenset(found)


def _question(table: str, column: str, ids: Sequence[str]) -> str:
    return " AND ".join(
        f"EXISTS (SELECT FROM {table} WHERE {column} = {literal(value)})" for value in ids
    )


def _candidates(snapshot: Snapshot, ids: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    for table in snapshot.tables:
        named = [c for c in table.columns if TENANT_COLUMN.match(c.name) and fits(c, ids)]
        if table.is_partition or (named and not REGISTRY.match(table.name)):
            continue
        for column in table.columns:
            telling = column.category != "N" or all(len(value) >= TELLING_DIGITS for value in ids)
            plain = telling and not column.enum
            if (
                plain
                and fits(column, ids)
                and (table.size < SCANNED_BYTES or _led(table, column.name))
            ):
                yield table.qualified, column.quoted, column.name


def _led(table: Relation, name: str) -> bool:
    return any(index.columns[:1] == (name,) for index in table.indexes)


def doubles(facts: Snapshot, model: TenancyModel) -> list[str]:
    """Tables outside the tenants' schemas that are named like one inside."""
    inside = {t.name for t in facts.tables if t.schema in model.schemas.values()}
    return [
        t.qualified
        for t in facts.tables
        if t.name in inside and t.schema not in model.schemas.values()
    ]


def holding_rows(connection: psycopg.Connection[Any], tables: Iterable[str]) -> frozenset[str]:
    """Those of *tables* in which at least one row stands."""
    return frozenset(
        table
        for table in tables
        if connection.execute(f"SELECT FROM {table} LIMIT 1".encode()).fetchone() is not None
    )
