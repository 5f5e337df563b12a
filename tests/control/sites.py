"""A building as small as can be, and for real: a schema with one table and one row, or a file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import make_url

from partywall.control.provisioning.saga import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.control.tenants import Tenant

Hook = Callable[[str], None]


def nothing(point: str) -> None:
    """What happens inside of a step, usually."""
    del point


class Site:
    """Steps that a real building would have; `inside` is called in the middle of each half."""

    def __init__(self, url: str, inside: Hook = nothing) -> None:
        address = make_url(url)
        self.inside = inside
        self._file = address.database if address.get_backend_name() == "sqlite" else None
        self._url = address.set(drivername="postgresql").render_as_string(hide_password=False)

    def provisioning(self) -> tuple[Step, ...]:
        return (
            Step("create", self.create, self.drop),
            Step("seed", self.seed, self.empty),
            Step("smoke", self.smoke, self.leave),
        )

    def removal(self) -> tuple[Step, ...]:
        return (Step("erase", self.erase, self.leave),)

    def create(self, tenant: Tenant) -> Mapping[str, object]:
        self.run(tenant, "CREATE SCHEMA IF NOT EXISTS {}")
        self.inside("create")
        self.run(tenant, "CREATE TABLE IF NOT EXISTS {}.notes (id int PRIMARY KEY)")
        return {"made": 1}

    def seed(self, tenant: Tenant) -> Mapping[str, object]:
        self.inside("seed")
        self.run(tenant, "INSERT INTO {}.notes VALUES (1) ON CONFLICT DO NOTHING")
        return {"rows": 1}

    def smoke(self, tenant: Tenant) -> Mapping[str, object]:
        self.inside("smoke")
        assert self.notes(tenant.id) == 1
        return {}

    def empty(self, tenant: Tenant) -> None:
        self.inside("empty")
        if self.notes(tenant.id) is not None:
            self.run(tenant, "DELETE FROM {}.notes")

    def drop(self, tenant: Tenant) -> None:
        self.inside("drop")
        if self._file is not None:
            self.place(tenant.id).unlink(missing_ok=True)
        else:
            self.run(tenant, "DROP SCHEMA IF EXISTS {} CASCADE")

    def leave(self, tenant: Tenant) -> None:
        """What has left nothing behind."""

    def erase(self, tenant: Tenant) -> Mapping[str, object]:
        rows = self.notes(tenant.id) or 0
        self.run(tenant, "DROP TABLE IF EXISTS {}.notes")
        self.inside("erase")
        self.drop(tenant)
        return {"rows": rows}

    def run(self, tenant: Tenant, statement: str) -> None:
        name = schema(tenant.id)
        if self._file is None:
            with psycopg.connect(self._url, autocommit=True) as connection:
                connection.execute(statement.format(f'"{name}"').encode())
        elif "SCHEMA" not in statement:
            with closing(sqlite3.connect(self.place(tenant.id), isolation_level=None)) as file:
                file.execute(statement.format("main"))

    def place(self, tenant_id: str) -> Path:
        return Path(f"{self._file}-{schema(tenant_id)}")

    def notes(self, tenant_id: str) -> int | None:
        """How many rows the tenant has; None when there is no place of it."""
        query = f'SELECT count(*) FROM "{schema(tenant_id)}".notes'
        if self._file is None:
            with psycopg.connect(self._url, autocommit=True) as connection:
                try:
                    (count,) = connection.execute(query.encode()).fetchone() or (0,)
                except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                    return None
                return int(count)
        if not self.place(tenant_id).exists():
            return None
        with closing(sqlite3.connect(self.place(tenant_id))) as file:
            if not file.execute("SELECT 1 FROM sqlite_master").fetchall():
                return None
            (count,) = file.execute("SELECT count(*) FROM notes").fetchone()
            return int(count)

    def stands(self, tenant_id: str) -> bool:
        """Whether anything of the tenant is left."""
        if self._file is not None:
            return self.place(tenant_id).exists()
        with psycopg.connect(self._url, autocommit=True) as connection:
            query = "SELECT count(*) FROM pg_namespace WHERE nspname = %s"
            (count,) = connection.execute(query, [schema(tenant_id)]).fetchone() or (0,)
            return bool(count)

    def places(self) -> int:
        """How many tenants have left something here."""
        if self._file is not None:
            file = Path(self._file)
            return len(list(file.parent.glob(f"{file.name}-t_*")))
        with psycopg.connect(self._url, autocommit=True) as connection:
            query = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 't\\_%'"
            (count,) = connection.execute(query.encode()).fetchone() or (0,)
            return int(count)


def schema(tenant_id: str) -> str:
    """What the tenant's place is called."""
    return "t_" + tenant_id.replace("-", "_")
