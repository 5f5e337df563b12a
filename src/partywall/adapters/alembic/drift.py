"""Where the walls that stand are not the ones that were declared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alembic.autogenerate import comparators
from alembic.operations.ops import DropTableOp
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy import text
from sqlalchemy.util import to_list

from partywall.adapters.alembic.operations import (
    BuildWall,
    LayFoundations,
    LeaveWall,
    declaration_of,
)
from partywall.isolation import row_walls
from partywall.isolation.naming import identifier, qualified
from partywall.isolation.row_walls import Policy, Wall

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import UpgradeOps
    from sqlalchemy import Connection

    from partywall.runtime.tables import Walls

TABLES = """
SELECT n.nspname || '.' || c.relname, c.relrowsecurity, c.relforcerowsecurity, a.attnotnull,
       coalesce(pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = :column AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE n.nspname || '.' || c.relname = ANY (:tables)
"""
POLICIES = """
SELECT schemaname || '.' || tablename, policyname, cmd, permissive = 'PERMISSIVE', roles::text[],
       coalesce(qual, ''), coalesce(with_check, '')
FROM pg_policies WHERE schemaname || '.' || tablename = ANY (:tables) ORDER BY 1, 2
"""
FUNCTIONS = """
SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = :schema
"""
OWN = ("counters", "seal_key")
"""The tables that foundations make; no metadata has them."""

AGAIN = ("CREATE SCHEMA", "CREATE TABLE", "CREATE OR REPLACE FUNCTION")
"""How the statements of foundations begin that can be tried without a lock on what is in use."""


@comparators.dispatch_for("schema", priority=DispatchPriority.LAST)  # after the tables
def compare_walls(context: AutogenContext, upgrade: UpgradeOps, schemas: object) -> None:
    """Add what makes the real walls the declared ones; nothing where they are."""
    del schemas
    connection = context.connection
    if connection is None or connection.dialect.name != "postgresql":
        return
    for metadata in to_list(context.metadata):
        walls: Walls | None = getattr(metadata, "info", {}).get("partywall")
        if walls is not None:
            compare(connection, upgrade, walls)


def compare(connection: Connection, upgrade: UpgradeOps, walls: Walls) -> None:
    """The same for the walls of one metadata."""
    model = walls.model
    declaration = declaration_of(model)
    keep_own_tables(upgrade, model.schema)
    put_walls_down_first(connection, upgrade, walls)
    undo = changed_functions(connection, walls)
    if undo is not None:
        laid = LayFoundations(
            numbered=walls.numbered, sealed=model.sealed, undo=undo, **declaration
        )
        upgrade.ops.insert(0, laid)
    counters = (f"{model.schema}.counters",) if walls.numbered else ()
    found = standing(connection, (*walls.owned, *counters), model.column)
    wanted = [*walls.owned, *(table for table in counters if table in found)]
    for table in wanted:
        there = found.get(table)
        if there is None or open_to(there) != row_walls.declared(model, table):
            upgrade.ops.append(rebuilt(table, there, model.column, declaration))


def open_to(found: Wall) -> Wall:
    """The wall without the policies that only close rows again: those may be anybody's."""
    opening = (p for p in found.policies if p.permissive or p.name == row_walls.POLICY)
    return replace(found, policies=tuple(opening))


def keep_own_tables(upgrade: UpgradeOps, schema: str) -> None:
    """Have autogenerate leave the tables of the foundations alone, which no metadata has."""
    upgrade.ops[:] = [
        op
        for op in upgrade.ops
        if not (isinstance(op, DropTableOp) and op.schema == schema and op.table_name in OWN)
    ]


def put_walls_down_first(connection: Connection, upgrade: UpgradeOps, walls: Walls) -> None:
    """Before a table is dropped, say what stood round it: a downgrade must bring that back too."""
    dropped = [op for op in upgrade.ops if isinstance(op, DropTableOp)]
    names = [f"{op.schema or 'public'}.{op.table_name}" for op in dropped]
    found = standing(connection, names, walls.model.column)
    for op, name in zip(dropped, names, strict=True):
        if name in found and found[name].policies:
            undo = tuple(restored(found[name], walls.model.column))
            upgrade.ops.insert(upgrade.ops.index(op), LeaveWall(name, undo))


def changed_functions(connection: Connection, walls: Walls) -> str | None:
    """None when the functions stand as declared; else the SQL of those that stood there.

    The server is asked: what is declared is made, looked at, and taken back again.
    """
    before = defined(connection, walls.model.schema)
    savepoint = connection.begin_nested()
    try:
        for statement in walls.foundations():
            if statement.startswith(AGAIN):
                connection.exec_driver_sql(statement.replace("%", "%%"))
        after = defined(connection, walls.model.schema)
    finally:
        savepoint.rollback()
    different = [name for name, definition in after.items() if before.get(name) != definition]
    if not different:
        return None
    return ";\n".join(before[name] for name in different if name in before)


def defined(connection: Connection, schema: str) -> dict[str, str]:
    """The functions of *schema*, by signature, as the server shows them."""
    rows = connection.execute(text(FUNCTIONS), {"schema": schema})
    return {str(signature): str(definition) for signature, definition in rows}


@comparators.dispatch_for(
    "column", qualifier="postgresql", subgroup="server_default", priority=DispatchPriority.FIRST
)
def compare_default(context: AutogenContext, *found: Any) -> PriorityDispatchResult:
    """Leave the defaults that walls set to `compare_walls`: Alembic would evaluate them.

    Outside of a tenant that is an error, as it must be.
    """
    del context
    column = found[-1]
    default = getattr(column.server_default, "arg", None)
    called = str(default).partition("(")[0].rpartition(".")[2]
    ours = called in {"tenant_id", "next_number"}
    return PriorityDispatchResult.STOP if ours else PriorityDispatchResult.CONTINUE


def standing(connection: Connection, tables: Iterable[str], column: str) -> dict[str, Wall]:
    """The walls of those *tables* that exist, by qualified name; as the server writes them."""
    names = list(tables)
    policies: dict[str, list[Policy]] = {}
    for table, name, command, permissive, roles, using, check in connection.execute(
        text(POLICIES), {"tables": names}
    ):
        policy = Policy(name, command, permissive, tuple(sorted(roles)), using, check)
        policies.setdefault(table, []).append(policy)
    rows = connection.execute(text(TABLES), {"tables": names, "column": column})
    return {
        table: Wall(table, enabled, forced, required, default, tuple(policies.get(table, ())))
        for table, enabled, forced, required, default in rows
    }


def rebuilt(table: str, found: Wall | None, column: str, declaration: dict[str, str]) -> BuildWall:
    """The operation that builds a wall, and knows what to put back."""
    if found is None:
        return BuildWall(table, drop_policies=(), undo=(), **declaration)
    others = tuple(p.name for p in found.policies if p.permissive and p.name != row_walls.POLICY)
    undo = tuple(restored(found, column))
    return BuildWall(table, drop_policies=others, undo=undo, **declaration)


def restored(found: Wall, column: str) -> Iterable[str]:
    """The SQL that makes a table's wall again what it was."""
    name, quoted = qualified(found.table), identifier(column)
    default = f"SET DEFAULT {found.default}" if found.default else "DROP DEFAULT"
    yield f"DROP POLICY IF EXISTS {identifier(row_walls.POLICY)} ON {name}"
    yield f"ALTER TABLE {name} ALTER COLUMN {quoted} {default}"
    if not found.required:
        yield f"ALTER TABLE {name} ALTER COLUMN {quoted} DROP NOT NULL"
    yield f"ALTER TABLE {name} {'' if found.forced else 'NO '}FORCE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {name} {'ENABLE' if found.enabled else 'DISABLE'} ROW LEVEL SECURITY"
    for policy in found.policies:
        yield f"DROP POLICY IF EXISTS {identifier(policy.name)} ON {name}"
        yield created(name, policy)


def created(table: str, policy: Policy) -> str:
    """The SQL that makes *policy* on *table*, a quoted name."""
    kind = "PERMISSIVE" if policy.permissive else "RESTRICTIVE"
    roles = ", ".join("PUBLIC" if role == "public" else identifier(role) for role in policy.roles)
    using = f" USING ({policy.using})" if policy.using else ""
    check = f" WITH CHECK ({policy.check})" if policy.check else ""
    start = f"CREATE POLICY {identifier(policy.name)} ON {table} AS {kind}"
    return f"{start} FOR {policy.command} TO {roles}{using}{check}"
