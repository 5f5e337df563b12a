"""What an upgrade can't move, found before anything is changed: each with the mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.errors import ConfigurationError
from partywall.fleet.existing import MIGRATIONS
from partywall.isolation import row_walls, upgrading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import psycopg

    from partywall.fleet.existing import Existing, Key, Reference, Table
    from partywall.fleet.steps import Move
    from partywall.isolation.row_security import RowSecurity

OLDEST = 150000

ROLES = """
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %(login)s),
    current_user = %(login)s OR EXISTS (SELECT FROM pg_roles
        WHERE rolname = %(login)s AND (rolsuper OR rolbypassrls))
    OR coalesce((SELECT pg_has_role(r.oid, current_user, 'MEMBER')
        FROM pg_roles r WHERE r.rolname = %(login)s), false),
    current_user::text
"""


def roles(connection: psycopg.Connection[Any], login: str) -> None:
    """Make sure that the login can be kept behind the walls, by the role that builds them.

    Raises:
        ConfigurationError: when it can't, or the server is too old.
    """
    if connection.info.server_version < OLDEST:
        raise ConfigurationError("an upgrade onto row security needs PostgreSQL 15 or later")
    row = connection.execute(ROLES.encode(), {"login": login}).fetchone()
    known, above, upgrader = row or (False, False, "")
    if not known:
        raise ConfigurationError(f"there is no role {login}: CREATE ROLE {login} LOGIN")
    if above:
        raise ConfigurationError(
            f"no wall would hold {login}, which is {upgrader}, a member of it, a superuser or "
            "BYPASSRLS: upgrade as another role, and give the application a login without these"
        )


def selected(
    every: dict[str, Table], model: RowSecurity, tables: Iterable[str] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the tenants' tables and of the shared ones.

    Raises:
        ConfigurationError: for a name that no table has.
    """
    shared = sorted(map(full, model.shared))
    aside = {*shared, *(name for name in every if name.endswith(f".{MIGRATIONS}"))}
    owned = sorted(every.keys() - aside if tables is None else map(full, tables))
    if unknown := [name for name in (*owned, *shared) if name not in every]:
        raise ConfigurationError(
            f"there is no table {', '.join(unknown)}: the database has {', '.join(every)}"
        )
    if both := sorted(set(owned) & set(shared)):
        raise ConfigurationError(f"{', '.join(both)} can't be shared and a tenant's")
    return tuple(owned), tuple(shared)


def full(name: str) -> str:
    """A qualified name; one without a schema is in `public`."""
    return name if "." in name else f"public.{name}"


def refuse(move: Move, existing: Existing) -> None:
    """Refuse what can't be moved, all of it at once.

    Raises:
        ConfigurationError: naming each obstacle and its mend.
    """
    found = [
        *of_model(move),
        *(said for name in move.owned for said in of_table(move, existing.tables[name])),
        *(said for name in move.owned for said in without_key(existing, name)),
        *(said for key in existing.keys for said in of_key(key, ours(existing, key.table))),
        *(said for reference in existing.references for said in of_reference(move, reference)),
        *of_views(existing),
        *(
            f"{c.table}.{c.column} counts and may be NULL: ALTER TABLE {c.table} ALTER COLUMN "
            f"{c.column} SET NOT NULL"
            for c in existing.counters
            if not c.required
        ),
        *(
            f"tenant_of names {name}, which is not among the tenants' tables"
            for name in move.tenant_of
            if name not in move.owned
        ),
    ]
    if found:
        raise ConfigurationError("this can't be moved onto row security:\n" + "\n".join(found))


def of_model(move: Move) -> Iterator[str]:
    """Say why there can be no such walls yet."""
    if move.model.sealed:
        yield (
            "a sealed context can't stand while a version runs that names no tenant: upgrade with "
            "RowSecurity(sealed=False), and seal it when the new version runs"
        )


def of_table(move: Move, table: Table) -> Iterator[str]:
    """Say why *table* can't be moved."""
    name, column = table.name, move.model.column
    if name.count(".") > 1:
        yield f"{name} has a dot in its name: rename it"
    if table.kind != "r" or table.inherits:
        yield (
            f"{name} is partitioned, inherited or foreign: CREATE INDEX CONCURRENTLY can't reach "
            "all its parts; move its rows to a plain table, or leave it out of tables="
        )
    if table.by_index:
        yield (
            f"{name} is replicated by an index that will be replaced: "
            f"ALTER TABLE {name} REPLICA IDENTITY DEFAULT"
        )
    if table.column_type not in {"", move.model.type}:
        yield (
            f"{name}.{column} is of type {table.column_type}: declare "
            f"RowSecurity(type={table.column_type!r}), or another column="
        )
    if others := sorted(set(table.policies) - {row_walls.POLICY}):
        yield (
            f"{name} has policies already, which would open rows beside ours: "
            + "; ".join(f"DROP POLICY {policy} ON {name}" for policy in others)
        )


def without_key(existing: Existing, name: str) -> Iterator[str]:
    """Say that a table has no primary key."""
    if not any(key.table == name and key.kind == "p" for key in existing.keys):
        yield (
            f"{name} has no primary key: ALTER TABLE {name} ADD PRIMARY KEY (…), or name it in "
            "RowSecurity(shared={…}) if every tenant may read it"
        )


def ours(existing: Existing, table: str) -> set[str]:
    """The names of the indexes that an upgrade builds beside those of *table*."""
    return {upgrading.made(table, key.name) for key in existing.keys if key.table == table}


def of_key(key: Key, twins: set[str]) -> Iterator[str]:
    """Say why *key* can't be led by the tenant."""
    drop = f"ALTER TABLE {key.table} DROP CONSTRAINT {key.name}"
    if key.led or key.name in twins:
        return
    if not key.valid:
        schema = key.table.partition(".")[0]
        yield f"the index {key.name} of {key.table} is invalid: DROP INDEX {schema}.{key.name}"
    elif key.kind and not key.body:
        yield (
            f"{key.name} of {key.table} excludes rows of all tenants together: {drop}, and add it "
            "again with the tenant column among its elements when the walls stand"
        )
    elif key.deferrable:
        yield (
            f"{key.name} of {key.table} is deferrable, and an index that is built beside it is "
            f"not: {drop}, and add it again without DEFERRABLE"
        )
    elif key.viewed:
        yield (
            f"a view groups by {key.name} of {key.table} and names other columns: name them in "
            "its GROUP BY"
        )


def of_reference(move: Move, reference: Reference) -> Iterator[str]:
    """Say why a foreign key can't stay within a tenant."""
    drop = f"ALTER TABLE {reference.table} DROP CONSTRAINT {reference.name}"
    named = f"{reference.name} of {reference.table}"
    if reference.target not in move.owned or move.model.column in reference.columns:
        return
    if reference.table not in move.owned:
        yield (
            f"{named} refers to {reference.target}, whose rows will be tenants', and "
            f"{reference.table} is not among the tenants' tables: name both in tables=, or {drop}"
        )
    elif not reference.valid:
        yield (
            f"{named} was never validated: ALTER TABLE {reference.table} VALIDATE CONSTRAINT "
            f"{reference.name}"
        )
    elif reference.on_update in {"n", "d"}:
        yield (
            f"{named} empties its columns ON UPDATE, and would empty the tenant column with "
            f"them: {drop}, and add it again with ON UPDATE CASCADE or NO ACTION"
        )
    elif reference.match_full and len(reference.columns) > 1:
        yield (
            f"{named} is MATCH FULL, and the tenant column is never NULL: {drop}, and add it "
            "again with MATCH SIMPLE and a CHECK that all of its columns are NULL or none is"
        )


def of_views(existing: Existing) -> Iterator[str]:
    """Say which views hold rows of their own."""
    for view in existing.views:
        if view.stored:
            yield (
                f"the materialized view {view.name} would hold rows of all tenants, and no policy "
                f"can stand on it: DROP MATERIALIZED VIEW {view.name}, or make it a table"
            )
