"""Rows for tables that belong to no tenant: values by name and type, drawn from a tenant's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from partywall.catalog.facts import Column

PLAIN = {
    "N": "7", "B": "true", "D": "2024-05-06 07:08:09", "T": "1 day",
    "U": "00000000-0000-4000-8000-000000000007",
    "A": "{}", "I": "192.0.2.7", "V": "1", "G": "(1,1)", "R": "empty",
}  # fmt: skip
SPECIAL = {
    "json": "{}",
    "jsonb": "{}",
    "bytea": "pw",
    "date": "2024-05-06",
    "time": "07:08:09",
    "timetz": "07:08:09+00",
}


def generated_row(
    columns: Iterable[Column], drawn: Mapping[str, str], text: str = "pw"
) -> dict[str, str | None]:
    """Values by quoted column: those of *drawn* by column name, else plain ones by type.

    Columns with a default, and those that may be NULL, are left to it unless *drawn* names them;
    text columns take *text*.
    """
    values: dict[str, str | None] = {}
    for column in columns:
        if column.generated or column.identity:
            continue
        if column.name in drawn:
            values[column.quoted] = drawn[column.name]
        elif column.textual and column.base not in SPECIAL and column.default is None:
            values[column.quoted] = text[: column.length] if column.length else text
        elif column.not_null and column.default is None:
            fallback = column.enum[0] if column.enum else PLAIN.get(column.category, text)
            values[column.quoted] = SPECIAL.get(column.base, fallback)
    return values
