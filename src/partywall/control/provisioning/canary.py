"""Canaries: one row of ours that fits into a tenant's table, found by what the catalog says.

A table is fit when nothing that a row must have is out of our hands: no required foreign key, no
type that we can't write. Checks may still refuse the row; then the next table is tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from partywall.control.database import new_id
from partywall.control.provisioning.owner import run
from partywall.isolation.naming import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

# Also what a sequence would number: it would count on, and tell the tenant of a row that never was.
COLUMNS = """
SELECT t.wanted, a.attname, y.typcategory::text,
    CASE WHEN a.atttypmod > 4 AND y.typcategory = 'S' THEN a.atttypmod - 4 ELSE 1000 END,
    EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = a.attrelid
            AND k.contype = 'f' AND a.attnum = ANY (k.conkey)),
    y.typname, a.attidentity <> '' OR a.atthasdef,
    (SELECT e.enumlabel FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = y.oid
     ORDER BY e.enumsortorder LIMIT 1)
FROM pg_catalog.unnest(ARRAY[{names}]::text[]) AS t (wanted)
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = pg_catalog.to_regclass(t.wanted)
JOIN pg_catalog.pg_type AS y ON y.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef AS d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
WHERE a.attnum > 0 AND NOT a.attisdropped AND (a.attidentity <> '' OR a.attnotnull AND (
    NOT a.atthasdef OR pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%'))
ORDER BY t.wanted, a.attnum
"""

WORDS = {"U": "", "N": "7", "B": "false", "D": "now", "T": "0", "A": "{}", "I": "127.0.0.1"}
"""What fits a category of PostgreSQL's types.

https://www.postgresql.org/docs/current/catalog-pg-type.html
"""
NUMBER = "'31999'"
"""What a sequence or an identity would give: fits the smallest type, and is far from the first."""

OVERRIDING = "OVERRIDING SYSTEM VALUE "

TYPES = {"json": "{}", "jsonb": "{}", "bytea": "", "xml": "", "tsvector": "", "date": "2000-01-01"}
SQLITE = {"INT": "7", "REAL": "7", "FLOAT": "7", "NUM": "7", "BOOL": "0", "DATE": "2000-01-01"}
"""Part of the name of a type -> what fits it; a word fits all others."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a row must give a value.

    Attributes:
        value: as a literal; None when we know none.
        refers: whether it is part of a foreign key.
    """

    name: str
    value: str | None
    refers: bool


def inserts(
    tables: Sequence[str],
    required: Iterable[tuple[str, Column]],
    given: dict[str, str],
    *,
    overriding: str = "",
) -> Iterator[tuple[str, str]]:
    """Tables with the statement that puts a row there, those first that need the fewest values.

    Args:
        tables: as statements name them, quoted.
        required: the columns of each.
        given: literals of columns that all tables have, such as the tenant's.
        overriding: what an INSERT says that numbers rows itself.
    """
    columns: dict[str, list[Column]] = {table: [] for table in tables}
    for table, column in required:
        columns[table].append(column)
    for table in sorted(columns, key=lambda table: len(columns[table])):
        values = dict(given)
        for column in columns[table]:
            if column.name not in given and column.value is not None and not column.refers:
                values[column.name] = column.value
        if any(column.name not in values for column in columns[table]):
            continue
        names = ", ".join(identifier(name) for name in values)
        said = "DEFAULT VALUES"
        if values:
            said = f"({names}) {overriding}VALUES ({', '.join(values.values())})"
        yield table, f"INSERT INTO {table} {said}"


def columns_of(connection: Connection, tables: Sequence[str]) -> list[tuple[str, Column]]:
    """The columns that rows of *tables* must give a value, with one that fits."""
    if connection.dialect.name == "sqlite":
        return [(table, each) for table in tables for each in of_sqlite(connection, table)]
    names = ", ".join(literal(table) for table in tables)
    rows = run(connection, COLUMNS.format(names=names))
    return [
        (
            table,
            Column(name, NUMBER if counted else written(category, length, type_, label), refers),
        )
        for table, name, category, length, refers, type_, counted, label in rows
    ]


def written(category: str, length: int, type_: str, label: str | None) -> str | None:
    """A literal of a type; None when we know none."""
    if category == "E":
        return literal(label) if label else None
    if type_ == "uuid":
        return literal(new_id())
    if category == "S":
        return literal(f"canary {new_id()}"[:length])
    if type_ in TYPES:
        return literal(TYPES[type_])
    return literal(WORDS[category]) if WORDS.get(category) else None


def of_sqlite(connection: Connection, table: str) -> Iterator[Column]:
    """As `columns_of`, of one table of SQLite."""
    keys = run(connection, f"PRAGMA foreign_key_list({table})").all()
    refers = {key[3] for key in keys}
    columns = run(connection, f"PRAGMA table_info({table})").all()
    single = sum(bool(column[5]) for column in columns) == 1
    for _, name, type_, required, default, key in columns:
        numbered = bool(key) and single and type_.upper() == "INTEGER"
        if default is not None or numbered or not (required or key):
            continue
        found = next((v for part, v in SQLITE.items() if part in type_.upper()), "canary")
        # Of a key that is text, a new one; whatever the type, SQLite takes it.
        value = new_id() if key and not found.isdigit() else found
        yield Column(name, literal(value), name in refers)
