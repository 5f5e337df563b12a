"""A schema for each tenant: made in one message, furnished in one, or handed out as it is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.context import TenantContext
from partywall.control.provisioning import smoke
from partywall.control.provisioning.ahead import ONE_AT_A_TIME, Ahead
from partywall.control.provisioning.marks import Mark
from partywall.control.provisioning.owner import run, sent
from partywall.control.provisioning.sites.marked import MarkedSite
from partywall.errors import ConfigurationError, TenantError, TenantExists, WorkError
from partywall.isolation.naming import identifier, literal

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from partywall.control.provisioning.sites.site import Design, Facts
    from partywall.control.tenants import Tenant
    from partywall.isolation.schema_per_tenant import SchemaPerTenant

COMMENT = """
SELECT pg_catalog.obj_description(oid, 'pg_namespace') FROM pg_catalog.pg_namespace
WHERE nspname = {name}
"""
ROLE = "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = {name}"
SIZES = """
SELECT c.relname, pg_catalog.pg_total_relation_size(c.oid) FROM pg_catalog.pg_class AS c
WHERE c.relnamespace = {schema}::pg_catalog.regnamespace AND c.relkind IN ('r', 'm')
ORDER BY 1
"""
FORMER = """
SELECT c.relname FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind <> 'i'
"""
OTHER_ROLE = """
SELECT r.rolname FROM pg_catalog.pg_auth_members AS m
JOIN pg_catalog.pg_roles AS r ON r.oid = m.roleid
JOIN pg_catalog.pg_roles AS l ON l.oid = m.member
WHERE l.rolname = session_user AND r.rolname <> {name}
    AND pg_catalog.starts_with(r.rolname, {prefix})
LIMIT 1
"""
ABSENT, NO_SCHEMA = frozenset({smoke.ABSENT}), frozenset({"3F000"})
CLOSED = frozenset({smoke.CLOSED})

MODEL = "any"
"""The id that the model is asked for its plans with; then its name is replaced."""

DUPLICATES = frozenset({"42P06", "42710", "42P07", "23505"})
"""What the server says where a schema, a role or a table of the name is there, or just appeared."""


class SchemaSite(MarkedSite):
    """Places of `SchemaPerTenant`."""

    kind = "schema"

    def __init__(self, design: Design, model: SchemaPerTenant, ahead: int) -> None:
        super().__init__(design)
        self.model = model
        self.ahead = self.stock(ahead) if ahead else None

    def stock(self, wanted: int) -> Ahead:
        """Schemas made ahead, with their tables.

        Raises:
            ConfigurationError: when a function makes the tables that can't be known again.
        """
        if not self.design.blueprint.known:
            raise ConfigurationError(
                "schemas made ahead by a function need its version, so that none of an older one "
                'is handed out: Building(…, version="…", ahead=…)'
            )
        return Ahead(
            self.design.owner,
            digest=lambda: self.design.blueprint.digest,
            build=self.build,
            dropping=self.dropping,
            wanted=wanted,
            roles=self.model.roles,
        )

    def comment(self, tenant: Tenant) -> str | None:
        """The comment on the schema of the tenant's name."""
        name = literal(self.model.schema(tenant.id))
        rows = self.design.owner.send(COMMENT.format(name=name))
        return (rows[0][0] or "") if rows else None

    def make(self, tenant: Tenant) -> Mark:
        """Take a schema that is ready, or make one."""
        name = self.model.schema(tenant.id)
        try:
            if self.ahead is not None:
                mark = Mark(tenant.id, tables=self.design.blueprint.digest)
                if self.ahead.handed_out(name, mark):
                    return mark
            mark = Mark(tenant.id)
            self.design.owner.send(*self.making(name), commented(name, mark))
        except Exception as error:
            if getattr(error, "sqlstate", None) not in DUPLICATES:
                raise
            standing = self.standing(tenant)  # by another worker, or it says whose it is
            if standing is None:
                raise TenantExists(
                    "a role of this tenant's name stands there already, and no schema"
                ) from error
            return standing
        return mark

    def making(self, name: str) -> tuple[str, ...]:
        """The statements of the model's plan that make a schema, for any name."""
        plan = self.model.provision(MODEL, self.design.login)
        own = identifier(self.model.schema(MODEL))
        # With roles each plan writes the login's row, which two can't do at once.
        first = (ONE_AT_A_TIME,) if self.model.roles else ()
        return (*first, *(each.replace(own, identifier(name)) for each in plan))

    def dropping(self, name: str) -> tuple[str, ...]:
        """The statements of the model's plan that drop a schema, without those of the tombstone."""
        plan = self.model.remove(MODEL, self.design.login)
        own = identifier(self.model.schema(MODEL))
        last = plan.index(f"CREATE SCHEMA {own}")
        # DROP OWNED is for those who have the role's rights; who made it may take them.
        first = (f"GRANT {own} TO CURRENT_USER",) if self.model.roles else ()
        return tuple(each.replace(own, identifier(name)) for each in (*first, *plan[:last]))

    def furnishing(self, name: str) -> tuple[str, ...]:
        """The statements that make the tables where nothing but extensions is searched besides."""
        path = ", ".join(identifier(each) for each in (name, *self.model.extensions))
        return (f"SET LOCAL search_path = {path}, pg_temp", *self.design.blueprint.statements)

    def furnish(self, tenant: Tenant, mark: Mark) -> None:
        """Make the tables."""
        name, schema = self.model.schema(tenant.id), self.design.blueprint.schema
        if not callable(schema):
            self.design.owner.send(*self.furnishing(name), commented(name, mark))
            return
        with self.design.owner.transaction() as connection:
            self.furnish_by(connection, name)
            run(connection, commented(name, mark))

    def build(self, connection: Connection, name: str) -> None:
        """Make a schema of any name with its tables, in a transaction that is open."""
        driver, schema = connection.connection.driver_connection, self.design.blueprint.schema
        sent(driver, *self.making(name), *self.furnishing(name))
        if callable(schema):
            self.furnish_by(connection, name)

    def furnish_by(self, connection: Connection, name: str) -> None:
        """Have a function make the tables.

        Raises:
            WorkError: when it makes some in `public`, or ends the transaction.
        """
        former = public_tables(connection)
        for statement in self.furnishing(name):
            run(connection, statement)
        self.design.blueprint.run(connection)
        if stray := public_tables(connection) - former:
            raise WorkError(
                f"the function that makes the tables made {', '.join(sorted(stray))} in the "
                "schema public, which all tenants share: leave schemas out of its statements"
            )

    def note(self, tenant: Tenant, mark: Mark) -> None:
        """Write the mark."""
        self.design.owner.send(commented(self.model.schema(tenant.id), mark))

    def demolish(self, tenant: Tenant) -> None:
        """Drop the schema, and its role, where they were made here."""
        try:
            mark = self.standing(tenant)
        except TenantError:
            return  # another's, which was never taken
        if mark is not None:
            self.design.owner.send(*self.dropping(self.model.schema(tenant.id)))

    def smoke(self, tenant: Tenant) -> Facts:
        """Hold every name to mean the tenant's own table, and nobody else to get there."""
        name = self.model.schema(tenant.id)
        tables = smoke.quoted([table.name for table in self.design.blueprint.tables])
        if not tables:
            found = self.design.owner.send(SIZES.format(schema=literal(identifier(name))))
            tables = smoke.quoted([table for table, _ in found])
        with self.design.tenancy.connection(TenantContext(tenant.id)) as connection:
            smoke.located(connection, tables, name)
            key = self.design.blueprint.digest
            table, _ = smoke.planted(connection, self.design, tables, key=key)
            reading = f"SELECT count(*) FROM {table}"
            nobody = "SET LOCAL search_path = ''"
            smoke.refused(connection, "nobody", ABSENT, nobody, reading)
            entering = self.model.enter(smoke.stranger())
            smoke.refused(connection, "a stranger", NO_SCHEMA, entering[0])
            if self.model.roles:
                self.hold_roles(
                    connection, name, f"SELECT count(*) FROM {identifier(name)}.{table}"
                )
            connection.rollback()
        if self.ahead is not None:
            self.ahead.wake()  # now that nobody waits for this tenant any more
        return {"tables": len(tables), "canary": table}

    def hold_roles(self, connection: Connection, name: str, reading: str) -> None:
        """Hold the login, and the role of another tenant where there is one, to be kept out.

        Raises:
            WorkError: when they reach the tenant's tables by their full names.
        """
        smoke.refused(connection, "the login", CLOSED, "RESET ROLE", reading)
        asked = OTHER_ROLE.format(name=literal(name), prefix=literal(self.model.prefix))
        other = run(connection, asked).scalar()
        if other is not None:
            become = ("RESET ROLE", f"SET LOCAL ROLE {identifier(str(other))}")
            smoke.refused(connection, "another tenant's role", CLOSED, *become, reading)

    def close(self, tenant: Tenant) -> Facts:
        """Take the application's rights away, which ends also what is in the middle."""
        if not self.own(tenant):
            return {"closed": False}
        schema, login = identifier(self.model.schema(tenant.id)), identifier(self.design.login)
        taken = f"REVOKE ALL ON SCHEMA {schema} FROM {login}"
        if self.model.roles:
            taken = f"REVOKE {schema} FROM {login}"
        self.design.owner.send(taken)
        return {"closed": True}

    def count(self, tenant: Tenant) -> Facts:
        """Every table and every row in the schema."""
        if not self.own(tenant):
            return {"tables": 0, "rows": 0, "bytes": 0}
        schema = identifier(self.model.schema(tenant.id))
        with self.design.owner.session() as connection:
            sizes = sent(connection, SIZES.format(schema=literal(schema)))
            rows = {}
            for table, _ in sizes:
                counting = f"SELECT count(*) FROM {schema}.{identifier(table)}"
                rows[table] = sent(connection, counting)[0][0]
        size = sum(size for _, size in sizes)
        return {"tables": len(sizes), "rows": sum(rows.values()), "bytes": size, "of": rows}

    def erase(self, tenant: Tenant) -> Facts:
        """Drop the schema and leave an empty one of the name, in one transaction."""
        name = self.model.schema(tenant.id)
        plan = self.model.remove(tenant.id, self.design.login)
        tombstone = plan[plan.index(f"CREATE SCHEMA {identifier(name)}") :]
        if self.own(tenant):
            self.design.owner.send(*self.dropping(name), *tombstone)
        elif self.comment(tenant) is None:
            self.design.owner.send(*tombstone)
        if left := self.design.owner.send(SIZES.format(schema=literal(identifier(name)))):
            raise WorkError(f"{len(left)} tables are left in the schema of a removed tenant")
        role = self.design.owner.send(ROLE.format(name=literal(name)))
        if role:
            raise WorkError("the role of a removed tenant is still there")
        return {"left": 0, "tombstone": name}


def commented(schema: str, mark: Mark) -> str:
    """The statement that writes a mark on a schema."""
    return f"COMMENT ON SCHEMA {identifier(schema)} IS {literal(str(mark))}"


def public_tables(connection: Connection) -> frozenset[str]:
    """What stands in `public`."""
    return frozenset(run(connection, FORMER).scalars())
