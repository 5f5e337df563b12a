"""Row security: a tenant's rows in shared tables, behind the server's policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.context import TenantContext
from partywall.control.provisioning import smoke
from partywall.control.provisioning.owner import run
from partywall.control.provisioning.sites.rows import SharedSite
from partywall.control.provisioning.sites.site import qualified
from partywall.errors import WorkError
from partywall.isolation.naming import identifier, literal
from partywall.isolation.row_security import RowSecurity

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from partywall.control.provisioning.sites.site import Facts
    from partywall.control.tenants import Tenant

WALLS = """
SELECT t.name, c.relrowsecurity AND c.relforcerowsecurity
FROM pg_catalog.unnest(ARRAY[{names}]::text[]) AS t (name)
JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(t.name)
"""


class RowSecuritySite(SharedSite[RowSecurity]):
    """Places of `RowSecurity`."""

    def enter(self, connection: Connection, tenant: Tenant) -> None:
        """Act for the tenant: FORCE holds the owner, too."""
        for statement in smoke.entering(connection, self.model, TenantContext(tenant.id)):
            run(connection, statement)

    def smoke(self, tenant: Tenant) -> Facts:
        """Hold the walls to stand round every table, and one canary to stay behind them."""
        declared = [table for table in self.design.blueprint.tables if not self.shared(table)]
        expected = [qualified(table) for table in declared]
        with self.design.owner.transaction() as connection:
            found = [table.name for table in self.tables(connection)]
        tables = list(dict.fromkeys([*expected, *found]))
        with self.design.tenancy.connection(TenantContext(tenant.id)) as connection:
            smoke.located(connection, expected or tables)
            self.hold_walls(connection, tables)
            table, insert = smoke.planted(connection, self.design, expected or tables)
            self.hold_strangers(connection, tenant, table, insert)
            connection.rollback()
        return {"tables": len(tables), "canary": table}

    def hold_walls(self, connection: Connection, tables: list[str]) -> None:
        """Hold row security to be on in every table, for its owner too.

        Raises:
            WorkError: naming one where it is not.
        """
        names = ", ".join(literal(table) for table in tables)
        for table, walled in run(connection, WALLS.format(names=names)):
            if not walled:
                raise WorkError(f"row security is not enabled and forced for {table}")

    def hold_strangers(
        self, connection: Connection, tenant: Tenant, table: str, insert: str
    ) -> None:
        """Hold a stranger, and nobody, to see and change nothing of the canary.

        Raises:
            WorkError: when they can.
        """
        stranger = smoke.stranger() if self.model.type in {"uuid", "text"} else NUMBERED
        entering = smoke.entering(connection, self.model, stranger)
        taking = f"UPDATE {table} SET {identifier(self.model.column)} = DEFAULT"
        for what in (f"SELECT count(*) FROM {table}", taking, f"DELETE FROM {table}"):
            state, number = smoke.answer(connection, *entering, what)
            if number:
                raise WorkError(f"a stranger met the tenant's rows in {table}")
            if state not in {"", smoke.CLOSED}:
                raise WorkError(
                    f"that a stranger meets no row in {table} could not be shown: {state}"
                )
            entering = smoke.entering(connection, self.model, stranger)
        if insert:
            values = f"INSERT INTO {table} ({identifier(self.model.column)}, "
            forged = insert.replace(f"INSERT INTO {table} (", values).replace(
                "VALUES (", f"VALUES ({literal(tenant.id)}, ", 1
            )
            if "DEFAULT VALUES" in insert:
                own = identifier(self.model.column)
                forged = f"INSERT INTO {table} ({own}) VALUES ({literal(tenant.id)})"
            smoke.refused(connection, "a stranger", CLOSED, *entering, forged)
        nobody = f"SET LOCAL {self.model.setting} = ''"
        reading = f"SELECT count(*) FROM {table}"
        smoke.refused(connection, "nobody", CLOSED, nobody, reading)


NUMBERED = TenantContext(2**31 - 1)
"""A stranger where ids are whole numbers: the last of the smallest type."""

CLOSED = frozenset({smoke.CLOSED})
