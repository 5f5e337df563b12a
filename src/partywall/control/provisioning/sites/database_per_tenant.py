"""A database for each tenant, on one server or on several.

CREATE DATABASE allows no transaction around it. So a database is made under the name of a draft,
which the mark of the tenant's role has named before, and gets its own name together with its own
mark and its rights. What bears the tenant's name without a mark was made by somebody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from partywall.context import TenantContext
from partywall.control.database import new_id
from partywall.control.provisioning import smoke
from partywall.control.provisioning.marks import TOMBSTONE, Mark
from partywall.control.provisioning.owner import run, sent
from partywall.control.provisioning.sites.marked import MarkedSite
from partywall.control.provisioning.sites.site import qualified
from partywall.errors import (
    ConfigurationError,
    TenantExists,
    UnknownTenant,
    WorkError,
)
from partywall.isolation.naming import identifier, literal

if TYPE_CHECKING:
    from typing import Any

    from partywall.control.provisioning.owner import Owner
    from partywall.control.provisioning.sites.site import Design, Facts
    from partywall.control.tenants import Tenant
    from partywall.isolation.database_per_tenant import DatabasePerTenant

DRAFT = "_draft_"
"""Begins the names of databases that are being made; a tenant's begins with a letter."""

COMMENTS = """
SELECT (SELECT coalesce(pg_catalog.shobj_description(oid, 'pg_authid'), '')
        FROM pg_catalog.pg_roles WHERE rolname = {name}),
       (SELECT coalesce(pg_catalog.shobj_description(oid, 'pg_database'), '')
        FROM pg_catalog.pg_database WHERE datname = {name})
"""
BEGUN = "SELECT datconnlimit FROM pg_catalog.pg_database WHERE datname = {name}"
HOLD = "SELECT pg_catalog.pg_advisory_lock(2037, pg_catalog.hashtext({name}))"
LET_GO = "SELECT pg_catalog.pg_advisory_unlock(2037, pg_catalog.hashtext({name}))"
TABLES = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1, 2
"""
SIZE = "SELECT pg_catalog.pg_database_size({name})"
# Who may connect, besides the owner and the one who should: PUBLIC is 0.
STRANGERS = """
SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
FROM pg_catalog.pg_database AS d
CROSS JOIN LATERAL pg_catalog.aclexplode(
    coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) AS a
WHERE d.datname = {name} AND a.grantee <> d.datdba
    AND (a.grantee = 0 OR pg_catalog.pg_get_userbyid(a.grantee) <> {user})
"""


class DatabaseSite(MarkedSite):
    """Places of `DatabasePerTenant`."""

    kind = "database"

    def __init__(self, design: Design, model: DatabasePerTenant) -> None:
        super().__init__(design)
        self.model = model

    def owner(self, tenant: Tenant) -> Owner:
        """The owner's connections to the tenant's server.

        Raises:
            ConfigurationError: when directory and model name different servers, or one without
                a url.
        """
        try:
            server = self.model.server(tenant.id)
        except UnknownTenant:
            server = None
        if server != tenant.placement:
            raise ConfigurationError(
                f"the directory places the tenant on the server {tenant.placement!r}, and the "
                "isolation model does not: DatabasePerTenant(placement=…) must ask the directory"
            )
        if server not in self.design.owners:
            raise ConfigurationError(
                f"the tenant is placed on the server {server!r}, for which the owner has no url: "
                f'Building(…, owners={{"{server}": "postgresql://…"}})'
            )
        return self.design.owners[server]

    def comment(self, tenant: Tenant) -> str | None:
        """The comment on the database, or on the role that keeps its name."""
        role, database = self.comments(tenant)
        mark = Mark.read(role)
        ours = mark is not None and mark.tenant == tenant.id
        if role == TOMBSTONE or (role is not None and not ours):
            return role
        if role is None and database is not None:
            return ""  # another's: ours have a role before
        return database

    def comments(self, tenant: Tenant) -> tuple[str | None, str | None]:
        """The comments on the role and on the database of the tenant's name; None for none."""
        name = literal(self.model.database(tenant.id))
        ((role, database),) = self.owner(tenant).send(COMMENTS.format(name=name))
        return role, database

    def make(self, tenant: Tenant) -> Mark:
        """Make role and database, or go on where that stopped."""
        name, owner = self.model.database(tenant.id), self.owner(tenant)
        role, making, opening, granting = self.model.provision(tenant.id, self.design.login)
        mark = Mark(tenant.id)
        with owner.session() as connection:
            sent(connection, HOLD.format(name=literal(name)))
            try:
                draft = self.drafted(connection, tenant, role.statements)
                created = making.statements[0].replace(identifier(name), identifier(draft))
                limits = sent(connection, BEGUN.format(name=literal(draft)))
                if limits and limits[0][0] == -2:  # noqa: PLR2004 - invalid: a DROP was broken off
                    sent(connection, f"DROP DATABASE {identifier(draft)}")
                    limits = []
                if not limits:
                    sent(connection, created)
                sent(
                    connection,
                    f"ALTER DATABASE {identifier(draft)} RENAME TO {identifier(name)}",
                    commented(name, mark),
                    *opening.statements,
                )
            finally:
                sent(connection, LET_GO.format(name=literal(name)))
        self.owner(tenant).send(*granting.statements, database=name)
        return mark

    def drafted(
        self,
        connection: Any,  # noqa: ANN401 - a driver's
        tenant: Tenant,
        making: tuple[str, ...],
    ) -> str:
        """The name of the draft, once a role keeps the tenant's name and says it."""
        role, _ = self.comments(tenant)
        mark = Mark.read(role)
        if mark is not None and mark.tenant == tenant.id and mark.draft:
            return mark.draft
        draft = DRAFT + new_id().replace("-", "")
        name = identifier(self.model.database(tenant.id))
        kept = f"COMMENT ON ROLE {name} IS {literal(str(Mark(tenant.id, draft=draft)))}"
        sent(connection, *making, kept)
        return draft

    def create(self, tenant: Tenant) -> Facts:
        """Make the tenant's place; its grants again where only they may be missing."""
        if self.standing(tenant) is None:
            self.make(tenant)
        else:
            granting = self.model.provision(tenant.id, self.design.login)[-1]
            self.owner(tenant).send(*granting.statements, database=self.model.database(tenant.id))
        return {"server": tenant.placement, "with_tables": False}

    def furnish(self, tenant: Tenant, mark: Mark) -> None:
        """Make the tables."""
        name, blueprint = self.model.database(tenant.id), self.design.blueprint
        if not callable(blueprint.schema):
            self.owner(tenant).send(*blueprint.statements, commented(name, mark), database=name)
            return
        with self.owner(tenant).transaction(database=name) as connection:
            blueprint.run(connection)
            run(connection, commented(name, mark))

    def note(self, tenant: Tenant, mark: Mark) -> None:
        """Write the mark."""
        self.owner(tenant).send(commented(self.model.database(tenant.id), mark))

    def demolish(self, tenant: Tenant) -> None:
        """Drop database, draft and role, the role last, since it says what was begun."""
        name, owner = identifier(self.model.database(tenant.id)), self.owner(tenant)
        role, database = self.comments(tenant)
        mark = Mark.read(role)
        if mark is None or mark.tenant != tenant.id:
            return  # nothing was made here
        self.design.tenancy.close()  # whose idle connections would be ended under it
        made = Mark.read(database)
        if made is not None and made.tenant == tenant.id:
            owner.send(f"DROP DATABASE {name} WITH (FORCE)")
        if mark.draft:
            owner.send(f"DROP DATABASE IF EXISTS {identifier(mark.draft)} WITH (FORCE)")
        owner.send(f"DROP ROLE {name}")

    def smoke(self, tenant: Tenant) -> Facts:
        """Hold the tenant to be in its database, and nobody else to get there."""
        name, owner = self.model.database(tenant.id), self.owner(tenant)
        user = name if self.model.logins else self.design.login
        found = [place for place, _ in self.placed(tenant)]
        expected = [qualified(table) for table in self.design.blueprint.tables]
        with self.design.tenancy.connection(TenantContext(tenant.id)) as connection:
            if run(connection, "SELECT current_database()").scalar_one() != name:
                raise WorkError("the tenant is led to another database than its own")
            smoke.located(connection, expected or found)
            key = self.design.blueprint.digest
            table, _ = smoke.planted(connection, self.design, expected or found, key=key)
            connection.rollback()
        asked = STRANGERS.format(name=literal(name), user=literal(user))
        if strangers := owner.send(asked):
            raise WorkError(f"{strangers[0][0]} may connect to the tenant's database")
        self.hold_strangers(tenant)
        return {"tables": len(expected or found), "canary": table}

    def hold_strangers(self, tenant: Tenant) -> None:
        """Hold a stranger to find no database; and the shared login none, where each has its own.

        Raises:
            WorkError: when they are let in.
        """
        try:
            with self.design.tenancy.connection(smoke.stranger()):
                raise WorkError("a stranger was let in without having a database")
        except UnknownTenant:
            pass
        if self.model.logins and self.reached_by_login(tenant):
            raise WorkError("the login that all tenants share may connect to the tenant's database")

    def reached_by_login(self, tenant: Tenant) -> bool:
        """Whether the application's url, without the tenant's own login, leads to its database."""
        grounds = self.design.tenancy.grounds
        url = grounds.servers[tenant.placement] if tenant.placement else grounds.url
        address = url.set(drivername="postgresql", database=self.model.database(tenant.id))
        try:
            psycopg.connect(address.render_as_string(hide_password=False)).close()
        except psycopg.OperationalError:
            return False  # the tenant's own login was let in just now: the server is there
        return True

    def placed(self, tenant: Tenant) -> list[tuple[str, str]]:
        """The tables in the tenant's database, quoted, with their schemas."""
        found = self.owner(tenant).send(TABLES, database=self.model.database(tenant.id))
        return [(f"{identifier(schema)}.{identifier(table)}", schema) for schema, table in found]

    def close(self, tenant: Tenant) -> Facts:
        """Let nobody connect any more; who is connected is thrown out when it is dropped."""
        if not self.own(tenant):
            return {"closed": False}
        name = self.model.database(tenant.id)
        user = name if self.model.logins else self.design.login
        taken = f"REVOKE CONNECT ON DATABASE {identifier(name)} FROM {identifier(user)}"
        self.owner(tenant).send(taken)
        return {"closed": True}

    def count(self, tenant: Tenant) -> Facts:
        """Every table and every row, and what the database takes on the disk."""
        if not self.own(tenant):
            return {"tables": 0, "rows": 0, "bytes": 0}
        name, owner = self.model.database(tenant.id), self.owner(tenant)
        tables = [table for table, _ in self.placed(tenant)]
        looks = " UNION ALL ".join(
            f"SELECT {literal(table)}, count(*) FROM {table}" for table in tables
        )
        counts = owner.send(looks, database=name) if looks else []
        rows = {table.replace('"', ""): number for table, number in counts}
        ((size,),) = owner.send(SIZE.format(name=literal(name)))
        return {"tables": len(tables), "rows": sum(rows.values()), "bytes": size, "of": rows}

    def erase(self, tenant: Tenant) -> Facts:
        """Drop the database, and leave the role as a tombstone.

        Raises:
            TenantExists: when role or database of the name were made by somebody else.
            WorkError: when one is still there.
        """
        name, owner = self.model.database(tenant.id), self.owner(tenant)
        role, database = self.comments(tenant)
        mark = Mark.read(role)
        made = Mark.read(database)
        of_another = role not in {None, TOMBSTONE} and (mark is None or mark.tenant != tenant.id)
        if of_another or (database is not None and (made is None or made.tenant != tenant.id)):
            raise TenantExists("role or database of this tenant's name were not made here")
        self.design.tenancy.close()
        if role is None:
            owner.send(f"CREATE ROLE {identifier(name)} NOLOGIN")
        if mark is not None and mark.draft:
            owner.send(f"DROP DATABASE IF EXISTS {identifier(mark.draft)} WITH (FORCE)")
        for step in self.model.remove(tenant.id):
            owner.send(*step.statements)
        if self.comments(tenant) != (TOMBSTONE, None):
            raise WorkError("the database of a removed tenant is still there")
        return {"left": 0, "tombstone": name}


def commented(database: str, mark: Mark) -> str:
    """The statement that writes a mark on a database."""
    return f"COMMENT ON DATABASE {identifier(database)} IS {literal(str(mark))}"
