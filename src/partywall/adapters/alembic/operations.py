"""The operations of a migration: what walls stand on, a wall, and what stood there before.

A migration holds all it needs: it says how the model was declared when it was written, and never
imports the application. A sealed model's key is not part of it; `sealing.install_key` brings that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic.autogenerate import renderers
from alembic.operations import MigrateOperation, Operations

from partywall.isolation import row_walls
from partywall.isolation.naming import identifier, qualified
from partywall.isolation.row_security import RowSecurity

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext

KEPT = ("column", "type", "setting", "schema")
"""What a migration must know of the declaration."""

NO_KEY = bytes(32)
"""Stands in for the key, which no statement of a migration contains."""


def model_of(declaration: dict[str, str], *, sealed: bool = False) -> RowSecurity:
    """The model that a migration was written for."""
    return RowSecurity(**declaration, sealed=sealed, key=NO_KEY if sealed else b"")  # type: ignore[arg-type]  # texts


def declaration_of(model: RowSecurity) -> dict[str, str]:
    """What a migration is to know; also what is usual today, which may be otherwise tomorrow."""
    return {name: getattr(model, name) for name in KEPT}


@Operations.register_operation("lay_foundations")
class LayFoundations(MigrateOperation):
    """Make, or make anew, the functions that walls call."""

    def __init__(
        self, *, numbered: bool = False, sealed: bool = False, undo: str = "", **declaration: str
    ) -> None:
        self.numbered, self.sealed, self.undo = numbered, sealed, undo
        self.declaration = declaration

    @classmethod
    def lay_foundations(cls, operations: Operations, **declaration: Any) -> None:
        """Make, or make anew, the functions that walls call.

        Args:
            operations: Alembic's.
            declaration: what differs from `RowSecurity()`: column, type, setting, schema; and
                `numbered`, whether tenants count their own whole-number keys, and `sealed`.
        """
        operations.invoke(cls(**declaration))

    def reverse(self) -> MigrateOperation:
        """The functions that stood there; new ones stay, since nothing breaks by them."""
        return RestoreWall((self.undo,) if self.undo else ())

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """For `alembic check`."""
        return ("lay_foundations", self.declaration)


@Operations.register_operation("build_wall")
class BuildWall(MigrateOperation):
    """Put the wall round a table, and take away every other policy."""

    def __init__(
        self,
        table: str,
        *,
        drop_policies: tuple[str, ...] = (),
        undo: tuple[str, ...] = (),
        **declaration: str,
    ) -> None:
        self.table, self.drop_policies, self.undo = table, tuple(drop_policies), undo
        self.declaration = declaration

    @classmethod
    def build_wall(cls, operations: Operations, table: str, **declaration: Any) -> None:
        """Put the wall round *table*, a qualified name, whose tenant column is there.

        Args:
            operations: Alembic's.
            table: such as `public.orders`.
            declaration: what differs from `RowSecurity()`: column, type, setting, schema; and
                `drop_policies`, the names of other policies to take away.
        """
        operations.invoke(cls(table, **declaration))

    def reverse(self) -> MigrateOperation:
        """What stood there before."""
        return RestoreWall(self.undo)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """For `alembic check`."""
        return ("build_wall", self.table)


@Operations.register_operation("restore_wall")
class RestoreWall(MigrateOperation):
    """Execute statements that put back what autogenerate found; only downgrades have it."""

    def __init__(self, statements: tuple[str, ...]) -> None:
        self.statements = tuple(statements)

    @classmethod
    def restore_wall(cls, operations: Operations, *statements: str) -> None:
        """Execute *statements*, in their order."""
        operations.invoke(cls(statements))

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """For `alembic check`."""
        return ("restore_wall", self.statements)


class LeaveWall(MigrateOperation):
    """Stands before the dropping of a table: nothing on the way up, its wall on the way down."""

    def __init__(self, table: str, undo: tuple[str, ...]) -> None:
        self.table, self.undo = table, undo

    def reverse(self) -> MigrateOperation:
        """The wall that stood round the table; a downgrade has made the table again by then."""
        return RestoreWall(self.undo)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """For `alembic check`."""
        return ("leave_wall", self.table)


def execute(operations: Operations, statements: tuple[str, ...]) -> None:
    """Execute SQL as it stands: no colon and no percent sign in it is Alembic's."""
    for statement in statements:
        operations.execute(statement.replace(":", "\\:"))


@Operations.implementation_for(LayFoundations)
def lay_foundations(operations: Operations, operation: LayFoundations) -> None:
    """Execute it."""
    model = model_of(operation.declaration, sealed=operation.sealed)
    execute(operations, row_walls.context_function(model))
    if operation.numbered:
        execute(operations, row_walls.counters(model))


@Operations.implementation_for(BuildWall)
def build_wall(operations: Operations, operation: BuildWall) -> None:
    """Execute it."""
    table = qualified(operation.table)
    others = tuple(f"DROP POLICY {identifier(p)} ON {table}" for p in operation.drop_policies)
    model = model_of(operation.declaration)
    execute(operations, (*others, *row_walls.build(model, operation.table)))


@Operations.implementation_for(RestoreWall)
def restore_wall(operations: Operations, operation: RestoreWall) -> None:
    """Execute it."""
    execute(operations, operation.statements)


def written(name: str, *arguments: object, **named: object) -> str:
    """A call of an operation, as Python."""
    said = [repr(each) for each in arguments]
    said += [f"{key}={value!r}" for key, value in named.items() if value]
    return f"op.{name}({', '.join(said)})"


@renderers.dispatch_for(LayFoundations)
def render_foundations(_: AutogenContext, operation: LayFoundations) -> str:
    """The call, as Python."""
    flags = {"numbered": operation.numbered, "sealed": operation.sealed}
    return written("lay_foundations", **operation.declaration, **flags)


@renderers.dispatch_for(BuildWall)
def render_wall(_: AutogenContext, operation: BuildWall) -> str:
    """The call, as Python."""
    dropped = {"drop_policies": operation.drop_policies}
    return written("build_wall", operation.table, **operation.declaration, **dropped)


@renderers.dispatch_for(LeaveWall)
def render_leaving(_: AutogenContext, operation: LeaveWall) -> str:
    """A remark: the wall goes with the table."""
    return f"# the wall round {operation.table} goes with it"


@renderers.dispatch_for(RestoreWall)
def render_restoring(_: AutogenContext, operation: RestoreWall) -> str:
    """The call, as Python; nothing to restore is nothing to do."""
    return written("restore_wall", *operation.statements) if operation.statements else "pass"
