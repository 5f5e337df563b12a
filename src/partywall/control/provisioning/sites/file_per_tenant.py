"""A SQLite file for each tenant: complete when it appears."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import StaticPool, create_engine

from partywall.context import TenantContext
from partywall.control.provisioning import smoke
from partywall.control.provisioning.alone import still_alone
from partywall.control.provisioning.owner import run
from partywall.errors import DeletedTenant, TenantExists, UnknownTenant, WallError, WorkError
from partywall.isolation.file_per_tenant import mark_of
from partywall.isolation.naming import identifier
from partywall.runtime import housing

if TYPE_CHECKING:
    from partywall.control.provisioning.sites.site import Design, Facts
    from partywall.control.tenants import Tenant
    from partywall.isolation.file_per_tenant import FilePerTenant

TABLES = (
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)


class FileSite:
    """Places of `FilePerTenant`."""

    def __init__(self, design: Design, model: FilePerTenant) -> None:
        self.design = design
        self.model = model

    def standing(self, tenant: Tenant) -> bool:
        """Whether the tenant's file is there, made here.

        Raises:
            TenantExists: when it was made by somebody else.
            DeletedTenant: when the tenant was removed.
        """
        if Path(self.model.tombstone(tenant.id)).exists():
            raise DeletedTenant("a tenant of this id was deleted: give the new one another id")
        path = self.model.path(tenant.id)
        if foreign(path):
            raise TenantExists(
                "a file of this tenant's name is there already and was not made by provisioning"
            )
        return os.path.lexists(path)

    def create(self, tenant: Tenant) -> Facts:
        """Make the file, with its tables."""
        if not self.standing(tenant):
            housing.provision(self.model, tenant.id, self.furnish)
        return {"with_tables": True}

    def furnish(self, connection: sqlite3.Connection) -> None:
        """Make the tables in a draft that nobody sees."""
        blueprint = self.design.blueprint
        if not callable(blueprint.schema):
            for statement in ("BEGIN", *blueprint.statements, "COMMIT"):
                connection.execute(statement).close()
            return
        engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
        with engine.connect() as made:
            blueprint.schema(made)
            made.commit()

    def migrate(self, tenant: Tenant) -> Facts:
        """Make the file anew where its tables are not those of this version."""
        if not self.standing(tenant):
            raise WorkError("the tenant's file is not there any more")
        expected = {table.name for table in self.design.blueprint.tables}
        if not expected <= set(self.tables(tenant)):
            self.demolish(tenant)
            self.create(tenant)
        return {"tables": len(self.tables(tenant))}

    def seed(self, tenant: Tenant) -> Facts:
        """Fill the file once: it is made anew, since nobody knows whether a seed was committed."""
        if self.design.seed is None:
            return {"seeded": False}
        self.demolish(tenant)
        self.create(tenant)
        self.design.sow(tenant)
        return {"seeded": True}

    def smoke(self, tenant: Tenant) -> Facts:
        """Hold the tenant to be in its file, and everybody else to be elsewhere."""
        expected = [table.name for table in self.design.blueprint.tables]
        found = self.tables(tenant)
        if missing := sorted(set(expected) - set(found)):
            raise WorkError(f"the tenant's file lacks the tables {', '.join(missing)}")
        tables = smoke.quoted(expected or found)
        if not tables:
            raise WorkError("the tenant's file has no table, so that nothing can be shown of it")
        path = self.model.path(tenant.id)
        with self.design.tenancy.connection(TenantContext(tenant.id)) as connection:
            table, _ = smoke.planted(connection, self.design, tables)
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the model has no other
            try:
                run(connection, f"ATTACH '{path}' AS another")
            except WallError:
                pass
            else:
                raise WorkError("a session of the tenant could attach another file")
            connection.rollback()
        self.hold_strangers(path)
        return {"tables": len(tables), "canary": table}

    def hold_strangers(self, path: str) -> None:
        """Hold a stranger to be refused without a file, and the system to keep others out.

        Raises:
            WorkError: when a file appears, or others on this machine may open the tenant's.
        """
        stranger = smoke.stranger()
        try:
            with self.design.tenancy.connection(stranger):
                raise WorkError("a stranger was let in without having a file")
        except UnknownTenant:
            pass
        if os.path.lexists(self.model.path(stranger.tenant_id)):
            raise WorkError("entering made a file for a stranger")
        if Path(path).stat().st_mode & 0o077:
            raise WorkError("other accounts of this machine may open the tenant's file")

    def demolish(self, tenant: Tenant) -> None:
        """Delete the file, and a draft, where they were made here; no tombstone."""
        path = Path(self.model.path(tenant.id))
        if not path.parent.exists():
            return
        try:
            self.standing(tenant)
        except (TenantExists, DeletedTenant):
            return  # another's, which was never taken
        with housing.held(path.parent):
            still_alone()
            housing.discard(path.with_suffix(".new"))
            housing.discard(path)  # or what lay beside it, when that was broken off
            housing.synced(path.parent)

    def clear(self, tenant: Tenant) -> None:
        """Nothing: the rows go with their file."""

    def close(self, tenant: Tenant) -> Facts:
        """Put the tombstone beside the file: from now on nobody opens it."""
        self.hold_own(tenant)
        place_tombstone(Path(self.model.path(tenant.id)), Path(self.model.tombstone(tenant.id)))
        return {"closed": True}

    def count(self, tenant: Tenant) -> Facts:
        """Every table, every row, and the size of the file with what SQLite put beside it."""
        path = Path(self.model.path(tenant.id))
        self.hold_own(tenant)
        if not path.exists():
            return {"tables": 0, "rows": 0, "bytes": 0}
        rows = {}
        with closing(housing.opened(str(path))) as connection:
            for table in tables_of(connection):
                counting = connection.execute(f"SELECT count(*) FROM {identifier(table)}")
                rows[table] = counting.fetchone()[0]
        beside = [path, *(path.with_name(path.name + end) for end in housing.BESIDE)]
        size = sum(each.stat().st_size for each in beside if each.exists())
        return {"tables": len(rows), "rows": sum(rows.values()), "bytes": size, "of": rows}

    def erase(self, tenant: Tenant) -> Facts:
        """Delete the file; its tombstone stays."""
        path, tombstone = Path(self.model.path(tenant.id)), Path(self.model.tombstone(tenant.id))
        self.close(tenant)
        housing.remove(self.model, tenant.id)
        if path.exists() or not tombstone.exists():
            raise WorkError("the file of a removed tenant is still there")
        return {"left": 0, "tombstone": tombstone.name}

    def hold_own(self, tenant: Tenant) -> None:
        """Hold the file to be the tenant's, or gone.

        Raises:
            TenantExists: when what stands there was made by somebody else.
        """
        if foreign(self.model.path(tenant.id)):
            raise TenantExists("the file of this tenant's name was not made by provisioning")

    def tables(self, tenant: Tenant) -> list[str]:
        """The names of the tables in the tenant's file."""
        with closing(housing.opened(self.model.path(tenant.id), "ro")) as connection:
            return tables_of(connection)


def tables_of(connection: sqlite3.Connection) -> list[str]:
    """The names of a file's tables, sorted."""
    return sorted(name for (name,) in connection.execute(TABLES))


def foreign(path: str) -> bool:
    """Whether something is there that was made by somebody else."""
    return os.path.lexists(path) and (Path(path).is_symlink() or marked(path) != mark_of(path))


def marked(path: str) -> int:
    """The mark that a file carries; zero for what is no database."""
    try:
        with closing(housing.opened(path, "ro")) as connection:
            return int(connection.execute("PRAGMA application_id").fetchone()[0])
    except sqlite3.Error:
        return 0


def place_tombstone(path: Path, tombstone: Path) -> None:
    """Write a tombstone, so that it survives a power cut."""
    housing.made(path.parents[2], path.parent)
    with housing.held(path.parent):
        tombstone.touch(mode=0o600)
        housing.synced(path.parent)
