"""Rows of tenants in tables that all share: found, counted and deleted by what the catalog says.

A tenant's tables are those that have the tenant column, in schemas that the application's login
may use, but for the shared ones and the control plane's own.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from partywall.control.provisioning.owner import run
from partywall.control.tables import SCHEMA, metadata
from partywall.errors import TenantExists, WorkError
from partywall.isolation.naming import identifier, literal
from partywall.isolation.row_security import RowSecurity
from partywall.isolation.scoped_queries import ScopedQueries
from partywall.runtime.scoping.requirement import spellings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Table

    from partywall.control.provisioning.sites.site import Design, Facts
    from partywall.control.tenants import Tenant

Model = TypeVar("Model", RowSecurity, ScopedQueries)

BATCH = 5000
"""Rows that a transaction deletes."""

PATIENCE_S = 60.0
"""How long a removal waits for transactions that began before it."""

PASSES = 3
"""How often tables are gone through, where triggers or somebody else put rows back."""

CONTROL = frozenset(f"{SCHEMA}.{table.name}" for table in metadata.tables.values())

TABLES = """
SELECT c.oid::bigint, n.nspname, c.relname
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a
    ON a.attrelid = c.oid AND a.attname = {column} AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND pg_catalog.has_schema_privilege({login}, n.oid, 'USAGE')
ORDER BY 2, 3
"""
# Each transaction holds a lock on its own number.
OPEN = """
SELECT l.virtualtransaction FROM pg_catalog.pg_locks AS l
JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'virtualxid' AND l.pid <> pg_catalog.pg_backend_pid()
    AND a.datname = pg_catalog.current_database() AND a.usename = {login}
"""
REFERENCES = """
SELECT conrelid::bigint, confrelid::bigint FROM pg_catalog.pg_constraint WHERE contype = 'f'
"""


@dataclass(frozen=True, slots=True)
class Rows:
    """The table of some tenants' rows.

    Attributes:
        name: quoted.
        refers_to: the names of others that its rows may refer to, its own among them.
        numbered: whether a row has a place by which a batch can name it.
    """

    name: str
    refers_to: frozenset[str] = frozenset()
    numbered: bool = True


def of_postgres(
    connection: Connection, column: str, login: str, without: frozenset[str]
) -> list[Rows]:
    """The tenants' tables in a PostgreSQL database; of a partitioned one its partitions."""
    query = TABLES.format(column=literal(column), login=literal(login))
    found = run(connection, query).all()
    names = {
        oid: f"{identifier(schema)}.{identifier(table)}"
        for oid, schema, table in found
        if f"{schema}.{table}" not in without
    }
    references: dict[str, set[str]] = {name: set() for name in names.values()}
    for child, parent in run(connection, REFERENCES):
        if child in names and parent in names:
            references[names[child]].add(names[parent])
    return [Rows(name, frozenset(to)) for name, to in references.items()]


def of_sqlite(connection: Connection, column: str, without: frozenset[str]) -> list[Rows]:
    """The tenants' tables in a SQLite file."""
    listed = run(connection, "PRAGMA main.table_list").all()
    places = {
        name: bool(without_rowid)
        for _, name, kind, _, without_rowid, *_ in listed
        if kind == "table" and not name.startswith("sqlite_") and name not in without
    }
    found = []
    for name, without_rowid in sorted(places.items()):
        table = identifier(name)
        columns = run(connection, f"PRAGMA table_info({table})").all()
        if column not in {each[1] for each in columns}:
            continue
        keys = run(connection, f"PRAGMA foreign_key_list({table})").all()
        to = frozenset(identifier(key[2]) for key in keys)
        found.append(Rows(table, to, numbered=not without_rowid))
    return found


def in_order(tables: Iterable[Rows]) -> list[tuple[Rows, ...]]:
    """Tables in groups that can be emptied one after the other: who refers comes first.

    A group of several refers in a circle, and is emptied at once.
    """
    left = {table.name: table for table in tables}
    groups: list[tuple[Rows, ...]] = []
    while left:
        referred = {to for t in left.values() for to in t.refers_to if to != t.name}
        free = [table for name, table in left.items() if name not in referred]
        groups.extend((table,) for table in free)
        for table in free:
            del left[table.name]
        if not free:
            groups.append(tuple(left.values()))
            break
    return groups


class SharedSite(ABC, Generic[Model]):
    """Places of models whose tenants share their tables; nothing but rows comes and goes."""

    def __init__(self, design: Design, model: Model) -> None:
        self.design = design
        self.model: Model = model
        shared = {s if "." in s else f"public.{s}" for s in model.shared} | set(model.shared)
        self._without = frozenset(shared) | CONTROL

    @abstractmethod
    def smoke(self, tenant: Tenant) -> Facts:
        """Survey the walls."""

    def enter(self, connection: Connection, tenant: Tenant) -> None:
        """Have a transaction of the owner act for the tenant, where walls hold the owner too."""
        del connection, tenant

    def tables(self, connection: Connection) -> list[Rows]:
        """The tenants' tables."""
        if connection.dialect.name == "sqlite":
            own = {table.name for table in metadata.tables.values()}
            return of_sqlite(connection, self.model.column, self._without | own)
        return of_postgres(connection, self.model.column, self.design.login, self._without)

    def shared(self, table: Table) -> bool:
        """Whether every tenant may read a table."""
        return bool({f"{table.schema or 'public'}.{table.name}", table.name} & self.model.shared)

    def own(self, tenant: Tenant) -> str:
        """The condition that a row is the tenant's, said to each statement, walls or not."""
        written = ", ".join(literal(each) for each in sorted(spellings(tenant.id)))
        return f" WHERE {identifier(self.model.column)} IN ({written})"

    def create(self, tenant: Tenant) -> Facts:
        """Nothing; but a tenant that begins begins without rows.

        Raises:
            TenantExists: when there are rows of its id.
        """
        if self.any_rows(tenant):
            raise TenantExists("there are rows of this tenant's id already: whose are they?")
        return {"shared": True}

    def migrate(self, tenant: Tenant) -> Facts:
        """Nothing: the tables are there for all tenants, which the smoke survey looks at."""
        del tenant
        return {"shared": True}

    def seed(self, tenant: Tenant) -> Facts:
        """Insert the tenant's first rows, once: they are there, all of them, or none is."""
        if self.design.seed is None:
            return {"seeded": False}
        if not self.any_rows(tenant):
            self.design.sow(tenant)
        return {"seeded": True}

    def demolish(self, tenant: Tenant) -> None:
        """Nothing: nothing was made."""
        del tenant

    def clear(self, tenant: Tenant) -> None:
        """Delete the tenant's rows."""
        self.emptied(tenant)

    def close(self, tenant: Tenant) -> Facts:
        """Wait until everybody has left: who was let in before could yet commit rows.

        Raises:
            WorkError: when transactions of the application that began before are still open.
        """
        del tenant
        deadline = time.monotonic() + PATIENCE_S
        before = self.open()
        while before:
            if time.monotonic() > deadline:
                raise WorkError(
                    f"{len(before)} transactions of the application began before the removal and "
                    "are still open, and could write the tenant's rows: end them, and retry"
                )
            time.sleep(0.02)
            before &= self.open()
        return {"closed": True}

    def open(self) -> set[str]:
        """The transactions of the application that are open; SQLite doesn't tell."""
        if self.design.owner.sqlite:
            return set()
        rows = self.design.owner.send(OPEN.format(login=literal(self.design.login)))
        return {number for (number,) in rows}

    def count(self, tenant: Tenant) -> Facts:
        """The tenant's rows."""
        rows: dict[str, int] = {}
        total = 0
        with self.design.owner.transaction() as connection:
            self.enter(connection, tenant)
            for table in self.tables(connection):
                number, size = self.measured(connection, table, tenant)
                total += size
                if number:
                    rows[table.name.replace('"', "")] = number
        return {"tables": len(rows), "rows": sum(rows.values()), "bytes": total, "of": rows}

    def erase(self, tenant: Tenant) -> Facts:
        """Delete the tenant's rows, in batches, and look whether any is left.

        Raises:
            WorkError: when there are rows again and again.
        """
        deleted = self.emptied(tenant)
        if self.any_rows(tenant):
            raise WorkError("rows of a removed tenant are still there: something writes them")
        with self.design.owner.transaction() as connection:
            for table in self.tables(connection):
                run(connection, f"ANALYZE {table.name}")  # whose statistics quote values
        return {"deleted": deleted, "left": 0}

    def emptied(self, tenant: Tenant) -> int:
        """Delete the tenant's rows; how many."""
        deleted = 0
        for _ in range(PASSES):
            with self.design.owner.transaction() as connection:
                groups = in_order(self.tables(connection))
            before = deleted
            for group in groups:
                deleted += self.empty(group, tenant)
            if deleted == before:
                break
        return deleted

    def empty(self, group: Sequence[Rows], tenant: Tenant) -> int:
        """Delete the tenant's rows of tables that refer to each other, or in batches of one."""
        deleted = 0
        while True:
            with self.design.owner.transaction() as connection:
                self.enter(connection, tenant)
                last, whole = self.deleted(connection, group, tenant)
            deleted += last
            if whole or not last:
                return deleted

    def deleted(
        self, connection: Connection, group: Sequence[Rows], tenant: Tenant
    ) -> tuple[int, bool]:
        """Delete once; how many rows, and whether that were all."""
        own = self.own(tenant)
        first = group[0]
        sqlite = connection.dialect.name == "sqlite"
        if len(group) == 1 and first.name not in first.refers_to and first.numbered:
            place = "rowid" if sqlite else "ctid"
            some = f"SELECT {place} FROM {first.name}{own} LIMIT {BATCH}"
            chosen = f"IN ({some})" if sqlite else f"= ANY (ARRAY({some}))"
            again = f" AND {own.removeprefix(' WHERE ')}"
            batch = f"DELETE FROM {first.name} WHERE {place} {chosen}{again}"
            return run(connection, batch).rowcount, False
        if sqlite:
            run(connection, "PRAGMA defer_foreign_keys = ON")
            return sum(run(connection, f"DELETE FROM {t.name}{own}").rowcount for t in group), True
        # In one statement, at whose end the foreign keys are looked at.
        parts = [
            f"d{i} AS (DELETE FROM {table.name}{own} RETURNING 1)" for i, table in enumerate(group)
        ]
        sums = " + ".join(f"(SELECT count(*) FROM d{i})" for i in range(len(group)))
        statement = f"WITH {', '.join(parts)} SELECT {sums}"
        return int(run(connection, statement).scalar_one()), True

    def any_rows(self, tenant: Tenant) -> bool:
        """Whether any table has a row of the tenant."""
        with self.design.owner.transaction() as connection:
            self.enter(connection, tenant)
            own = self.own(tenant)
            tables = self.tables(connection)
            if not tables:
                return False
            looks = " OR ".join(f"EXISTS (SELECT 1 FROM {t.name}{own})" for t in tables)
            found = run(connection, f"SELECT {looks}")
            return bool(found.scalar_one())

    def measured(self, connection: Connection, table: Rows, tenant: Tenant) -> tuple[int, int]:
        """How many rows, and how many bytes their values take."""
        size = "sum(pg_catalog.pg_column_size(t.*))"
        if connection.dialect.name == "sqlite":
            columns = run(connection, f"PRAGMA table_info({table.name})").all()
            lengths = (f"coalesce(length(CAST({identifier(c[1])} AS BLOB)), 0)" for c in columns)
            size = f"sum({' + '.join(lengths)})"
        query = f"SELECT count(*), coalesce({size}, 0) FROM {table.name} AS t{self.own(tenant)}"
        number, taken = run(connection, query).one()
        return int(number), int(taken)
