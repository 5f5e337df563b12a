"""Turn what the server returned of a planted row into a `Row`: its key and its tokens."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from partywall.survey.planting.fitting import UUID_FORM
from partywall.survey.world import Row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from partywall.catalog.facts import Index, Relation
    from partywall.survey.identity import Who

NO_EQUALITY = {
    "json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle", "geometry",
    "jsonpath", "aclitem", "txid_snapshot", "pg_snapshot",
}  # fmt: skip
NUMERIC = {"int4", "int8", "numeric", "float8", "oid"}
LEAST_DIGITS, LEAST_TEXT, LONG_ID, LONG_REAL = 6, 8, 16, 12
DATED = re.compile(r"\d{4}-\d\d-\d\d")


def returning(relation: Relation) -> str:
    """The select list that reads a whole row as text, the table it landed in first."""
    return ", ".join(["tableoid::text", *(f"{c.quoted}::text" for c in relation.columns)])


def key_of(relation: Relation, values: Mapping[str, str | None]) -> dict[str, str]:
    """The columns that identify the row: primary key, unique key, or all that distinguish it."""
    uniques = sorted(
        (index for index in relation.indexes if _usable(index)),
        key=lambda index: (not index.primary, len(index.columns), index.name),
    )
    quoted = {name: column.quoted for name, column in relation.by_name.items()}
    for index in uniques:
        cells = {quoted[name]: values.get(quoted[name]) for name in index.columns}
        key = {column: cell for column, cell in cells.items() if cell is not None}
        if len(key) == len(cells):
            return key
    return {
        column.quoted: cell
        for column in relation.columns
        if (cell := values.get(column.quoted)) is not None
        and column.base not in NO_EQUALITY and column.element not in NO_EQUALITY
        and column.base not in {"float4", "float8"}
    }  # fmt: skip


def _usable(index: Index) -> bool:
    return index.unique and index.predicate is None and all(index.columns)


def distinctive(value: str) -> bool:
    """Whether an id is long and random enough to be found by chance nowhere else."""
    if UUID_FORM.fullmatch(value):
        return True
    return (
        len(value) >= LONG_ID and not DATED.match(value)
        and any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    )  # fmt: skip


def tokens_of(
    relation: Relation,
    values: Mapping[str, str | None],
    canary: str,
    made: Mapping[str, str | None],
    foreign: Collection[str],
) -> frozenset[str]:
    """The values that occur in no other tenant's rows.

    *made* are the column values that the seed yielded, by column name; *foreign* names the
    columns whose value is not this row's own (the tenant, a shared row's key).
    """
    hidden = canary.encode().hex()
    found = set()
    for column in relation.columns:
        value = values.get(column.quoted)
        if not value or column.name in foreign:
            continue
        lowered = value.lower()
        marked = canary in lowered or hidden in lowered
        ours = made.get(column.name) == value
        random = ours and (
            (column.base in NUMERIC and _digits(value) >= LEAST_DIGITS)
            or (column.base in {"macaddr", "macaddr8"})
        )
        if marked or random or (column.base == "uuid" and UUID_FORM.fullmatch(value)):
            found.add(value)
    return frozenset(found)


def _digits(value: str) -> int:
    return sum(c.isdigit() for c in value.partition(".")[0])


def row_of(
    relation: Relation,
    who: Who,
    values: Mapping[str, str | None],
    written: Iterable[str],
    tokens: Iterable[str],
    *,
    real: bool = False,
) -> Row:
    """Assemble a `Row`; *written* are names of columns, quoted."""
    columns = tuple(written)
    always = {c.quoted for c in relation.columns if c.identity == "always"}
    return Row(
        table=relation.qualified,
        tenant=who,
        values=dict(values),
        key=key_of(relation, values),
        tokens=frozenset(tokens),
        written=columns,
        overriding=bool(always & set(columns)),
        real=real,
    )


def real_tokens(relation: Relation, values: Mapping[str, str | None]) -> frozenset[str]:
    """Long distinctive texts of a row that was there before; they are looked for, never shown."""
    found = set()
    for column in relation.columns:
        value = values.get(column.quoted) or ""
        wordy = column.textual and len(value) >= LONG_REAL and not column.enum
        if wordy or (column.base == "uuid" and value in _own_key(relation, values)):
            found.add(value)
    return frozenset(found)


def _own_key(relation: Relation, values: Mapping[str, str | None]) -> set[str | None]:
    quoted = (relation.by_name[name].quoted for name in relation.primary_key[:1])
    return {values.get(column) for column in quoted} if len(relation.primary_key) == 1 else set()


def shared_tokens(*groups: Mapping[tuple[str, Who], Row]) -> set[str]:
    """Tokens that rows of more than one tenant share: they betray nobody."""
    holders: dict[str, set[Who]] = {}
    for group in groups:
        for row in group.values():
            for token in row.tokens:
                holders.setdefault(token, set()).add(row.tenant)
    return {token for token, tenants in holders.items() if len(tenants) > 1}


def without(found: Mapping[tuple[str, Who], Row], tokens: set[str]) -> dict[tuple[str, Who], Row]:
    """The rows *found*, none of them with one of *tokens*."""
    return {
        place: replace(row, tokens=row.tokens - tokens) if row.tokens & tokens else row
        for place, row in found.items()
    }


def cells(relation: Relation, row: Sequence[str | None]) -> dict[str, str | None]:
    """Quoted column -> value, from what `returning` read."""
    names = (column.quoted for column in relation.columns)
    return dict(zip(names, row[1:], strict=True))
