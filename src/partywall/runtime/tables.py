"""Walls round the tables of SQLAlchemy's metadata: declared once, built by `create_all`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    Column,
    DefaultClause,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import Mapped, configure_mappers, mapped_column

from partywall.errors import ConfigurationError
from partywall.isolation import row_walls

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from partywall.isolation.row_security import RowSecurity

ACROSS = "across_tenants"
"""The key of `info` under which a unique constraint or an index says why it spans all tenants."""


class TenantOwned:
    """A declarative class whose rows belong to tenants: it leads the primary key with their id.

    For a tenant column of another name or type declare it yourself, first in the primary key.
    """

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-100)


@dataclass(frozen=True, slots=True)
class Walls:
    """The walls of a metadata.

    Attributes:
        model: as declared.
        owned: tenants' tables, by qualified name, those that others refer to first.
        shared: the tables that every tenant reads.
        numbered: whether some have whole-number keys, which each tenant counts for itself.
    """

    model: RowSecurity
    owned: tuple[str, ...]
    shared: tuple[str, ...]
    numbered: bool = False

    def foundations(self) -> tuple[str, ...]:
        """The SQL of what the tables' walls call: it comes before them."""
        counters = row_walls.counters(self.model) if self.numbered else ()
        return (*row_walls.context_function(self.model), *counters)

    def statements(self) -> tuple[str, ...]:
        """The SQL that builds them round tables that exist."""
        built = [s for table in self.owned for s in row_walls.build(self.model, table)]
        return (*self.foundations(), *built)

    def grants(self, login: str) -> tuple[str, ...]:
        """The SQL that gives the application's login its rights, and no more."""
        numbers = row_walls.counting(self.model, login) if self.numbered else ()
        return (*row_walls.grants(self.model, login, self.owned, self.shared), *numbers)


def wall(metadata: MetaData, model: RowSecurity) -> Walls:
    """Declare that every table of *metadata* is a tenant's, but for `model.shared`.

    Call it once, after the classes are defined. `metadata.create_all()` then builds the walls with
    the tables, and Alembic sees them. Foreign keys between tenants' tables, unique constraints and
    indexes get the tenant column in front: a foreign key can't cross to another tenant's row, and
    uniqueness in all tenants together would tell one what another has. A constraint that must
    span them says why: `info={"across_tenants": "…"}`.

    Raises:
        ConfigurationError: naming the table, when the tenant column is missing, of another type,
            nullable or not first in the primary key; when a shared table refers to a tenant's; and
            for a name in `model.shared` that no table has.
    """
    configure_mappers()  # so that relationships join as their classes say, without the tenant
    shared = shared_tables(metadata, model)
    owned = tuple(table for table in metadata.sorted_tables if table not in shared)
    for table in owned:
        lead(table, model)
    numbered = sum(counted(table, model) for table in owned) > 0
    for table in metadata.sorted_tables:
        for constraint in list(table.foreign_key_constraints):
            hold(constraint, model, table, owned)
    walls = Walls(model, tuple(map(name, owned)), tuple(sorted(map(name, shared))), numbered)
    event.listen(metadata, "before_create", executing(walls.foundations()))
    for table in owned:
        event.listen(table, "after_create", executing(row_walls.build(model, name(table))))
    metadata.info["partywall"] = walls
    return walls


def name(table: Table) -> str:
    """The qualified name; a table without a schema is one of `public`."""
    return f"{table.schema or 'public'}.{table.name}"


def shared_tables(metadata: MetaData, model: RowSecurity) -> frozenset[Table]:
    """The tables that every tenant reads."""
    by_name = {name(table): table for table in metadata.tables.values()}
    wanted = {s if "." in s else f"public.{s}" for s in model.shared}
    if unknown := sorted(wanted - by_name.keys()):
        raise ConfigurationError(
            f"RowSecurity(shared=…) names {', '.join(unknown)}, and the metadata has no such "
            f"table: it has {', '.join(sorted(by_name))}"
        )
    return frozenset(by_name[each] for each in wanted)


def lead(table: Table, model: RowSecurity) -> None:
    """Make sure of the tenant column, and put it in front of what is unique or indexed."""
    column = table.columns.get(model.column)
    keys = list(table.primary_key.columns)
    if column is None or not keys or keys[0] is not column or column.nullable:
        raise ConfigurationError(
            f"{name(table)} is a tenant's table, and {model.column} is not the first column of its "
            "primary key: derive its class from partywall.TenantOwned, or name the table in "
            "RowSecurity(shared={…}) if every tenant may read it"
        )
    wanted = {"uuid": UUID, "text": str}.get(model.type, int)
    if column.type.python_type is not wanted:
        raise ConfigurationError(
            f"{name(table)}.{model.column} holds {column.type.python_type.__name__}, and the model "
            f"says {model.type}: declare RowSecurity(type=…) as the column is"
        )
    column.server_default = DefaultClause(text(row_walls.called(model)))
    for constraint in list(table.constraints):
        if isinstance(constraint, UniqueConstraint) and not led(constraint, column):
            table.constraints.discard(constraint)
            for each in constraint.columns:
                each.unique = None  # what it asked for stands in the new one
            columns = [each.name for each in constraint.columns if each is not column]
            table.append_constraint(
                UniqueConstraint(column.name, *columns, name=constraint.name, info=constraint.info)
            )
    for index in list(table.indexes):
        using = index.dialect_options["postgresql"]["using"] or "btree"
        if using == "btree" and not led(index, column):  # the others can't hold a tenant in front
            table.indexes.discard(index)
            for each in index.columns:
                each.index = each.unique = None  # what it asked for stands in the new one
            rest = [each for each in index.expressions if each is not column]
            Index(index.name, column, *rest, unique=index.unique, info=index.info, **index.kwargs)


def counted(table: Table, model: RowSecurity) -> bool:
    """Have the server number the rows where SQLAlchemy would have used a sequence."""
    column = list(table.primary_key.columns)[-1]
    number = row_walls.numbering(model, name(table))
    default = column.server_default
    if isinstance(default, DefaultClause) and str(default.arg) == number:
        return True
    given = column.default is not None or column.server_default is not None or column.foreign_keys
    if column.autoincrement not in {True, "auto"} or given or not isinstance(column.type, Integer):
        return False
    column.server_default = DefaultClause(text(number))
    column.autoincrement = "auto"
    return True


def led(constraint: UniqueConstraint | Index, column: Column[Any]) -> bool:
    """Whether the tenant column comes first, or a reason stands there why it doesn't."""
    first = next(iter(constraint.columns), None)
    return first is column or bool(constraint.info.get(ACROSS))


def hold(
    constraint: ForeignKeyConstraint, model: RowSecurity, table: Table, owned: tuple[Table, ...]
) -> None:
    """Have a foreign key between tenants' tables name the tenant too."""
    target = constraint.referred_table
    if target not in owned:
        return
    if table not in owned:
        raise ConfigurationError(
            f"{name(table)} is shared, and refers to {name(target)}, whose rows are tenants': "
            "every tenant would learn of them; make it a tenant's table too"
        )
    pairs = [(key.parent.name, key.column.name) for key in constraint.elements]
    if (model.column, model.column) in pairs:
        return
    table.constraints.discard(constraint)
    for key in constraint.elements:
        key.parent.foreign_keys.discard(key)
        table.foreign_keys.discard(key)
    removed = constraint.ondelete
    if removed is not None and removed.upper() in {"SET NULL", "SET DEFAULT"}:
        # The tenant must stay: only the other columns are emptied (PostgreSQL 15).
        removed = f"{removed} ({', '.join(own for own, _ in pairs)})"
    table.append_constraint(
        ForeignKeyConstraint(
            [model.column, *(own for own, _ in pairs)],
            [target.columns[other] for other in (model.column, *(there for _, there in pairs))],
            name=constraint.name,
            ondelete=removed,
            onupdate=constraint.onupdate,
            deferrable=constraint.deferrable,
            initially=constraint.initially,
        )
    )


def executing(statements: tuple[str, ...]) -> Any:
    """A listener that executes *statements* on PostgreSQL, whatever was created."""

    def execute(_: object, connection: Any, **__: object) -> None:
        if connection.dialect.name == "postgresql":
            for statement in statements:
                connection.exec_driver_sql(statement.replace("%", "%%"))

    return execute
