"""What a compiled statement seals, what it opens, and which row each value belongs to.

Worked out once for a statement that SQLAlchemy keeps compiled.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import BindParameter, Column
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, ColumnElement, Null

from partywall.encryption.columns import UNLIKENED, BlindIndex, Encrypted, Marked
from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Table


@dataclass(frozen=True, slots=True)
class Reading:
    """An encrypted column of the result.

    Attributes:
        at: its place in a row.
        mark: what it is.
        row: the places of the columns that tell its row, or names of parameters that they equal.
    """

    at: int
    mark: Encrypted
    row: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to do with a statement.

    Attributes:
        writes: names of parameters that are sealed, as the driver gets them -> names of those that
            tell their rows, as SQLAlchemy has them.
        order: these names as a driver with numbered parameters gets them.
        hashes: whether there are blind indexes among the parameters.
        reads: the columns that are opened.
        types: the types of the columns that tell rows, by place.
    """

    writes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    hashes: bool = False
    reads: tuple[Reading, ...] = ()
    types: Mapping[int, Any] = field(default_factory=dict)


NOTHING = Plan()

NULLS = frozenset({operators.is_, operators.is_not})

_plans: weakref.WeakKeyDictionary[Any, Plan] = weakref.WeakKeyDictionary()


def plan_of(compiled: object) -> Plan:
    """The plan of a statement.

    Raises:
        ConfigurationError: when it doesn't say to which row a value belongs.
    """
    if not isinstance(compiled, SQLCompiler):
        return NOTHING  # the driver's own SQL, DDL
    found = _plans.get(compiled)
    if found is None:
        found = _plans[compiled] = made(compiled)
    return found


def made(compiled: SQLCompiler) -> Plan:
    """Work out the plan."""
    marked = {n: b for b, n in compiled.bind_names.items() if isinstance(b.type, Marked)}
    sealed = {n: b for n, b in marked.items() if isinstance(b.type, Encrypted)}
    entries: list[Any] = list(compiled._result_columns)  # noqa: SLF001 - no public name for a result's types
    read = [(n, entry) for n, entry in enumerate(entries) if isinstance(entry.type, Encrypted)]
    if read and not (compiled._ordered_columns or compiled._textual_ordered_columns):  # noqa: SLF001 - as above
        raise ConfigurationError("give text().columns(…) its columns in order, not by their names")
    if compiled.isinsert or compiled.isupdate:
        complete(compiled, marked)
    if not marked and not read:
        return NOTHING
    uncompared(compiled)
    driven = compiled.escaped_bind_names  # what a driver can't take in a name is written otherwise
    readings = tuple(
        Reading(at, entry.type, tuple(rows_of(compiled, entry, entries))) for at, entry in read
    )
    return Plan(
        {driven.get(n, n): tuple(keys(compiled, n, bind)) for n, bind in sealed.items()},
        tuple(driven.get(n, n) for n in compiled.positiontup or () if n in sealed),
        len(marked) > len(sealed),
        readings,
        {
            place: entries[place].type
            for reading in readings
            for place in reading.row
            if isinstance(place, int)
        },
    )


def uncompared(compiled: SQLCompiler) -> None:
    """Hold a statement to compare no sealed values: none would ever equal another.

    Raises:
        ConfigurationError: when it does.
    """
    assert compiled.statement is not None  # noqa: S101 - what was compiled
    for each in visitors.iterate(compiled.statement):
        if not isinstance(each, BinaryExpression) or each.operator in NULLS:
            continue
        if isinstance(each.left.type, Encrypted) or isinstance(each.right.type, Encrypted):
            raise ConfigurationError(UNLIKENED)


def complete(compiled: Any, marked: Mapping[str, Any]) -> None:
    """Hold a statement that writes to leave no sealed value or index behind.

    Raises:
        ConfigurationError: when it changes what a row's values are bound to, or a value without
            its index.
    """
    table = statement_of(compiled).table._deannotate()  # noqa: SLF001 - what the ORM adds
    given = assigned(compiled)
    emptied = {table.c.get(name) for name, value in given.items() if isinstance(value, Null)}
    written = {bind.type.column for bind in marked.values()} | emptied
    moved = given.keys() if compiled.isupdate else set()
    for column in table.c:
        mark = column.type
        if isinstance(mark, BlindIndex) and table.c.get(mark.of) in written - {None}:
            if column not in written:
                raise ConfigurationError(
                    f"{table.name}.{mark.of} is written without {column.name}, which finds it: "
                    "give both the same value"
                )
        elif isinstance(mark, Encrypted) and moved & set(mark.row):
            raise ConfigurationError(
                f"{table.name}.{column.name} is bound to {' and '.join(mark.row)}, which this "
                "UPDATE changes: delete the row and insert it anew"
            )


def statement_of(compiled: Any) -> Any:
    """An INSERT or UPDATE as it was compiled; the ORM compiles another than it is given."""
    return getattr(compiled.compile_state, "statement", compiled.statement)


def assigned(compiled: Any) -> dict[str, Any]:
    """What a statement gives the columns of these names: parameters, or what SQL says."""
    binds = {name: bind for bind, name in compiled.bind_names.items() if bind._is_crud}  # noqa: SLF001 - no public name
    said = compiled.compile_state._dict_parameters or {}  # noqa: SLF001 - as above
    return binds | {getattr(each, "key", each): value for each, value in said.items()}


def keys(compiled: Any, name: str, bind: BindParameter[Any]) -> Iterator[str]:
    """The names of the parameters that tell the row of a sealed one.

    Raises:
        ConfigurationError: when the statement doesn't say.
    """
    mark = bind.type
    assert isinstance(mark, Encrypted)  # noqa: S101 - so the caller chose
    if not mark.row:
        return
    table, column = mark.table, mark.column
    assert column is not None  # noqa: S101 - `table` made sure
    if compiled.isinsert and name.startswith(column.key):
        upsert(compiled, mark)
        number = name[len(column.key) :]  # "_m1" for the second of several VALUES
        names = [column_of(table, each).key + number for each in mark.row]
        if set(names) <= set(compiled.bind_names.values()):
            yield from names
            return
    elif compiled.isupdate:
        named = dict(equalities(statement_of(compiled).whereclause))
        own = [compiled.bind_names.get(named.get(column_of(table, each))) for each in mark.row]
        if all(own):
            yield from own
            return
    raise ConfigurationError(
        f"{table.name}.{column.name} is bound to its row, and the statement does not say which: "
        f"give {' and '.join(mark.row)} a value in the INSERT, or name one row in the UPDATE, "
        f"WHERE {' AND '.join(f'{each} = …' for each in mark.row)}"
    )


def upsert(compiled: Any, mark: Encrypted) -> None:
    """Refuse ON CONFLICT DO UPDATE on anything but the row's key: it would reach another row.

    Raises:
        ConfigurationError: when it may.
    """
    clause = getattr(statement_of(compiled), "_post_values_clause", None)
    if clause is None or not hasattr(clause, "update_values_to_set"):
        return
    target = {getattr(each, "key", each) for each in clause.inferred_target_elements or ()}
    if not set(mark.row) <= target:
        raise ConfigurationError(
            f"ON CONFLICT may reach another row than the one that {mark.table.name} is sealed "
            f"for: let it be on {' and '.join(mark.row)}, which the value is bound to"
        )


def equalities(clause: Any) -> Iterator[tuple[Column[Any], BindParameter[Any]]]:
    """The `column = parameter` of a WHERE that all have to hold."""
    if isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
        for each in clause.clauses:
            yield from equalities(each)
    elif isinstance(clause, BinaryExpression) and clause.operator is operators.eq:
        column, value = clause.left._deannotate(), clause.right  # noqa: SLF001 - what the ORM adds
        if isinstance(column, Column) and isinstance(value, BindParameter):
            yield column, value


def rows_of(compiled: Any, entry: Any, entries: list[Any]) -> Iterator[int | str]:
    """What tells the row of an encrypted value: places in the result, or names of parameters.

    Raises:
        ConfigurationError: when nothing does, or it is not plain what.
    """
    mark, sources = entry.type, sources_of(entry)
    where = getattr(statement_of(compiled), "whereclause", None)
    for key in (column_of(mark.table, name) for name in mark.row):
        found = [n for n, each in enumerate(entries) if any(shares(o, key) for o in each.objects)]
        if len(found) > 1:
            found = [n for n in found if sources_of(entries[n]) & sources]
        named = [
            compiled.bind_names[bind]
            for column, bind in equalities(where)
            if shares(column, key) and id(column.table) in sources and bind in compiled.bind_names
        ]
        if found:
            yield found[0]
        elif named:
            yield named[0]
        else:
            raise ConfigurationError(
                f"{mark.table.name}.{mark.column.name} is bound to its row, and the statement does "
                f"not say which: select {key.name} too, from the same table or alias"
            )


def shares(thing: object, key: Column[Any]) -> bool:
    """Whether something selected is the key, of the table or an alias of it."""
    return isinstance(thing, ColumnElement) and thing.shares_lineage(key)


def sources_of(entry: Any) -> set[int]:
    """The tables and aliases of what is selected."""
    tables = (getattr(each, "table", None) for each in entry.objects)
    return {id(table._deannotate()) for table in tables if table is not None}  # noqa: SLF001 - as above


def column_of(table: Table, name: str) -> Column[Any]:
    """A column that values are bound to.

    Raises:
        ConfigurationError: when the table has none of that name.
    """
    found = table.c.get(name)
    if found is None:
        raise ConfigurationError(f"{table.name} has no column {name!r}: Encrypted({name!r})")
    return found


def told(value: object) -> str:
    """The value of a column that tells a row, as it is bound.

    Raises:
        ConfigurationError: for one that has no single form, None among it.
    """
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, UUID) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise ConfigurationError(
        "a value can't be bound to its row before the row has its key: text, a whole number or a "
        "UUID, which the application gives it (default=uuid4)"
    )
