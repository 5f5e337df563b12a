"""Scoped queries: a tenant's rows in shared tables, behind the analysis of statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.context import TenantContext
from partywall.control.provisioning import smoke
from partywall.control.provisioning.owner import run
from partywall.control.provisioning.sites.rows import SharedSite
from partywall.errors import WallError, WorkError
from partywall.isolation.naming import identifier, literal
from partywall.isolation.scoped_queries import ScopedQueries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from partywall.control.provisioning.sites.site import Facts
    from partywall.control.tenants import Tenant


class ScopedQueriesSite(SharedSite[ScopedQueries]):
    """Places of `ScopedQueries`."""

    def smoke(self, tenant: Tenant) -> Facts:
        """Hold every table to be there, and a stranger's statements to be refused or empty."""
        with self.design.owner.transaction() as connection:
            found = [table.name for table in self.tables(connection)]
            tables = self.expected() or found
            given = {self.model.column: literal(tenant.id)}
            own = self.tied(tenant.id)
            # Whether the database tells the two ids apart is asked on a connection without walls.
            table, insert = smoke.planted(connection, self.design, tables, given=given, where=own)
            stranger = smoke.stranger()
            if smoke.counted(connection, table, self.tied(stranger.tenant_id)):
                raise WorkError(f"{table} takes the ids of two tenants for the same")
            connection.rollback()
        with self.design.tenancy.connection(TenantContext(tenant.id)) as connection:
            for each in tables:
                if smoke.answer(connection, f"SELECT count(*) FROM {each}{own}")[0]:
                    raise WorkError(f"the tenant can't read its table {each}")
            if insert and not smoke.grown(connection, table, insert, own):
                raise WorkError(f"the tenant can't insert and read a row of {table}")
            connection.rollback()
        self.hold_stranger(stranger, tables, own)
        return {"tables": len(tables), "canary": table}

    def expected(self) -> list[str]:
        """The tenants' tables of a metadata, as statements name them."""
        return [
            ".".join(identifier(part) for part in (table.schema, table.name) if part)
            for table in self.design.blueprint.tables
            if not self.shared(table)
        ]

    def tied(self, tenant: str) -> str:
        """The condition that ties a statement to a tenant."""
        return f" WHERE {identifier(self.model.column)} = {literal(tenant)}"

    def hold_stranger(self, stranger: TenantContext, tables: Sequence[str], own: str) -> None:
        """Hold the statements of a stranger to be refused where they are not tied to it.

        Raises:
            WorkError: when one is sent.
        """
        with self.design.tenancy.connection(stranger) as connection:
            for table in tables:
                for query in (f"SELECT count(*) FROM {table}", f"SELECT * FROM {table}{own}"):
                    self.hold_refused(connection, table, query)
            connection.rollback()

    def hold_refused(self, connection: Connection, table: str, query: str) -> None:
        """Hold one statement to be refused before it is sent.

        Raises:
            WorkError: when it is sent.
        """
        try:
            run(connection, query)
        except WallError:
            return
        raise WorkError(f"a stranger's statement about {table} was sent")
