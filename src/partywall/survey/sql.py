"""Build the few statements that attacks are made of; every value is a quoted literal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def literal(value: str | None) -> str:
    """Quote *value* as an SQL literal of unknown type, NULL for None."""
    if value is None:
        return "NULL"
    quoted = value.replace("'", "''")
    if "\\" in quoted:
        escaped = quoted.replace("\\", "\\\\")
        return f"E'{escaped}'"
    return f"'{quoted}'"


def identifier(name: str) -> str:
    """Quote *name* as an SQL identifier, always."""
    return '"' + name.replace('"', '""') + '"'


def conditions(values: Mapping[str, str | None]) -> str:
    """Join ``column = value`` conditions; the columns are quoted already."""
    return " AND ".join(
        f"{column} IS NULL" if value is None else f"{column} = {literal(value)}"
        for column, value in values.items()
    )


def insert(table: str, values: Mapping[str, str | None], *, overriding: bool = False) -> str:
    """Build an INSERT of one row; with no values, of defaults alone."""
    if not values:
        return f"INSERT INTO {table} DEFAULT VALUES"
    override = "OVERRIDING SYSTEM VALUE " if overriding else ""
    rows = ", ".join(literal(value) for value in values.values())
    return f"INSERT INTO {table} ({', '.join(values)}) {override}VALUES ({rows})"


def select(table: str, columns: Iterable[str] = (), where: str = "") -> str:
    """Build a SELECT of *columns*, all when none are named."""
    condition = f" WHERE {where}" if where else ""
    return f"SELECT {', '.join(columns) or '*'} FROM {table}{condition}"


def update(table: str, values: Mapping[str, str | None], where: str = "") -> str:
    """Build an UPDATE; without *where* it reaches every row that the walls let it reach."""
    sets = ", ".join(f"{column} = {literal(value)}" for column, value in values.items())
    return f"UPDATE {table} SET {sets}" + (f" WHERE {where}" if where else "")


def delete(table: str, where: str = "") -> str:
    """Build a DELETE; without *where* it reaches every row that the walls let it reach."""
    return f"DELETE FROM {table}" + (f" WHERE {where}" if where else "")
