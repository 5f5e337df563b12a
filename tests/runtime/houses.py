"""Two tenants' rows, for tests of what stands around the walls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall import RowSecurity, SchemaPerTenant, TenantContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.isolation import IsolationModel
    from tests.conftest import Database

ACME = TenantContext("00000000-0000-0000-0000-00000000000a")
GLOBEX = TenantContext("00000000-0000-0000-0000-00000000000b")
BOTH = (ACME, GLOBEX)
DRIVERS = ("postgresql+psycopg", "postgresql+asyncpg")

SHARED_TABLE = """
CREATE ROLE app LOGIN;
GRANT USAGE ON SCHEMA public TO app;
CREATE TABLE notes (
    tenant_id uuid NOT NULL DEFAULT current_setting('app.tenant_id')::uuid,
    id integer, body text, PRIMARY KEY (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO app;
"""


def row_security(database: Database) -> RowSecurity:
    """A shared table `notes` with one row of each tenant, whose body is the tenant's id."""
    database.execute(SHARED_TABLE)
    for context in BOTH:
        database.execute(f"INSERT INTO notes VALUES ('{context.tenant_id}', 1, {body(context)})")
    return RowSecurity()


def schema_per_tenant(database: Database) -> SchemaPerTenant:
    """The same in a schema for each; and a table in `public` that nobody may meet by accident."""
    database.execute("CREATE ROLE app LOGIN; ALTER ROLE app SET search_path = ''")
    database.execute("CREATE TABLE public.notes (id integer, body text); GRANT ALL ON notes TO app")
    database.execute("INSERT INTO public.notes VALUES (1, 'nobody''s')")
    model = SchemaPerTenant()
    for context in BOTH:
        for statement in model.provision(context.tenant_id, "app"):
            database.execute(statement)
        table = f'"{model.schema(context.tenant_id)}".notes'
        key = "PRIMARY KEY DEFERRABLE INITIALLY DEFERRED"
        database.execute(f"CREATE TABLE {table} (id integer {key}, body text)")
        database.execute(f"INSERT INTO {table} VALUES (1, {body(context)})")
    return model


def body(context: TenantContext) -> str:
    """What the tenant's row says, as a literal."""
    return f"'{context.tenant_id}'"


HOUSES: dict[str, Callable[[Database], IsolationModel]] = {
    "rows": row_security,
    "schemas": schema_per_tenant,
}
