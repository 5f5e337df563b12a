"""A login that could get round the walls is refused, with the statement that mends it."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from partywall import RowSecurity, SchemaPerTenant, Tenancy, UnsafeLogin
from partywall.isolation import row_walls
from partywall.isolation.sealing import install_key
from tests.runtime.houses import ACME, row_security, schema_per_tenant

if TYPE_CHECKING:
    from tests.conftest import Database

DANGERS = {
    "ALTER ROLE app SUPERUSER": "SUPERUSER",
    "ALTER ROLE app BYPASSRLS": "BYPASSRLS",
    "ALTER ROLE app CREATEROLE": "CREATEROLE",
    "ALTER ROLE app REPLICATION": "REPLICATION",
    "CREATE ROLE boss SUPERUSER; ALTER ROLE app NOINHERIT; GRANT boss TO app": "SUPERUSER",
    "CREATE ROLE all_rows BYPASSRLS; GRANT all_rows TO app": "BYPASSRLS",
    "CREATE ROLE far BYPASSRLS; CREATE ROLE near; GRANT far TO near; GRANT near TO app": "far",
    "GRANT pg_read_all_data TO app": "pg_read_all_data",
    "GRANT pg_write_all_data TO app": "pg_write_all_data",
    "GRANT pg_execute_server_program TO app": "pg_execute_server_program",
    "GRANT pg_read_server_files TO app": "pg_read_server_files",
    "GRANT pg_write_server_files TO app": "pg_write_server_files",
    "GRANT pg_read_all_stats TO app": "pg_read_all_stats",
    "GRANT pg_monitor TO app": "pg_monitor",
    "GRANT pg_signal_backend TO app": "pg_signal_backend",
}
"""What was done to the login -> what the message names. Of any model."""

WALLS = {
    "CREATE ROLE keeper; ALTER TABLE notes OWNER TO keeper; GRANT keeper TO app": "keeper",
    "ALTER TABLE notes NO FORCE ROW LEVEL SECURITY": "FORCE",
    "ALTER TABLE notes DISABLE ROW LEVEL SECURITY": "no row security",
    "GRANT TRUNCATE ON notes TO app": "TRUNCATE",
    "GRANT TRIGGER ON notes TO PUBLIC": "TRIGGER",
    "GRANT REFERENCES ON notes TO app": "REFERENCES",
    "GRANT REFERENCES (tenant_id, id) ON notes TO app": "REFERENCES",
    "CREATE ROLE clerk; GRANT TRUNCATE ON notes TO clerk; GRANT clerk TO app": "clerk",
    "CREATE ROLE far; CREATE ROLE near; GRANT TRUNCATE ON notes TO far; GRANT far TO near; "
    "ALTER ROLE app NOINHERIT; GRANT near TO app": "far, which has TRUNCATE",
    "CREATE TABLE more (tenant_id uuid); GRANT SELECT ON more TO app": "more",
    "CREATE TABLE more (tenant_id uuid, a int); GRANT SELECT (a) ON more TO app": "more",
    "CREATE ROLE clerk; CREATE TABLE more (tenant_id uuid); GRANT SELECT ON more TO clerk; "
    "ALTER ROLE app NOINHERIT; GRANT clerk TO app": "more",
    "CREATE SCHEMA partywall; GRANT CREATE ON SCHEMA partywall TO app": "CREATE",
    "CREATE ROLE keeper; CREATE SCHEMA partywall AUTHORIZATION keeper; "
    "GRANT keeper TO app": "keeper, which owns",
    "CREATE ROLE keeper; CREATE SCHEMA partywall; GRANT keeper TO app; "
    "CREATE FUNCTION partywall.tenant_id() RETURNS int LANGUAGE sql AS 'SELECT 1'; "
    "ALTER FUNCTION partywall.tenant_id() OWNER TO keeper": "what every policy asks",
    'CREATE SCHEMA "A.b"; CREATE TABLE "A.b"."c""D" (tenant_id uuid); '
    'GRANT SELECT ON "A.b"."c""D" TO app': '"A.b"."c""D"',
}
"""The same of row security."""

KEEPER = "CREATE ROLE keeper; GRANT keeper TO app; "
SEALS = {
    "GRANT SELECT ON partywall.seal_key TO app": "seal_key",
    "GRANT SELECT (inner_block) ON partywall.seal_key TO PUBLIC": "seal_key",
    "GRANT UPDATE ON partywall.seal_key TO app": "seal_key",
    "GRANT TRIGGER ON partywall.seal_key TO app": "seal_key",
    "GRANT EXECUTE ON FUNCTION partywall.hmac(text) TO app": "hmac",
    "GRANT EXECUTE ON FUNCTION partywall.hmac(text) TO PUBLIC": "hmac",
    "DO $$ DECLARE body text := pg_get_functiondef('partywall.hmac(text)'::regprocedure); "
    "BEGIN DROP FUNCTION partywall.hmac(text); EXECUTE body; END $$": "hmac",
    "GRANT CREATE ON SCHEMA partywall TO app": "CREATE",
    f"{KEEPER}ALTER TABLE partywall.seal_key OWNER TO keeper": "keeper",
    f"{KEEPER}ALTER SCHEMA partywall OWNER TO keeper": "keeper",
    f"{KEEPER}ALTER FUNCTION partywall.same OWNER TO keeper": "keeper",
    f"{KEEPER}ALTER FUNCTION partywall.tenant_id OWNER TO keeper": "keeper",
}
"""The same of sealed contexts."""


def refusal(database: Database, model: RowSecurity | SchemaPerTenant) -> str:
    """What is said to the first who asks for a session; it is said again to the second."""
    with Tenancy(database.url("app"), model) as tenancy:
        with pytest.raises(UnsafeLogin) as first, tenancy.connection(ACME):
            pass
        message = str(first.value)
        again = pytest.raises(UnsafeLogin, match=re.escape(message))
        with again, tenancy.connection(ACME):
            pass
    return message


def mended(database: Database, message: str) -> None:
    """Do what the message says; then the login is let in."""
    for statement in re.findall(r"^  (.+)$", message, re.MULTILINE):
        database.execute(statement)


@pytest.mark.parametrize("danger", [*DANGERS, *WALLS])
def test_what_leads_round_row_security_is_named_with_its_mend(
    database: Database, danger: str
) -> None:
    model = row_security(database)
    database.execute(danger)
    message = refusal(database, model)
    assert {**DANGERS, **WALLS}[danger] in message
    mended(database, message)
    with Tenancy(database.url("app"), model) as tenancy, tenancy.connection(ACME):
        pass


@pytest.mark.parametrize("danger", [None, *SEALS])
def test_what_leads_round_the_seal_is_named_with_its_mend(
    database: Database, danger: str | None
) -> None:
    row_security(database)
    model = RowSecurity(sealed=True, key=bytes(32))
    for statement in (
        *row_walls.context_function(model),
        *row_walls.build(model, "public.notes"),
        *row_walls.grants(model, "app", ["public.notes"], []),
    ):
        database.execute(statement)
    statement, *blocks = install_key(model)
    database.connection.execute(statement.encode(), blocks)
    if danger is not None:
        database.execute(danger)
        message = refusal(database, model)
        assert SEALS[danger] in message
        mended(database, message)
    with Tenancy(database.url("app"), model) as tenancy, tenancy.connection(ACME):
        pass


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
@pytest.mark.parametrize("danger", DANGERS)
def test_what_leads_round_schemas_is_named_with_its_mend(database: Database, danger: str) -> None:
    model = schema_per_tenant(database)
    database.execute(danger)
    message = refusal(database, model)
    assert DANGERS[danger] in message
    mended(database, message)
    with Tenancy(database.url("app"), model) as tenancy, tenancy.connection(ACME):
        pass


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_an_owner_of_the_tables_is_refused(database: Database) -> None:
    model = row_security(database)
    database.execute("ALTER TABLE notes OWNER TO app")
    assert "OWNER TO" in refusal(database, model)


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
@pytest.mark.parametrize("driver", ["postgresql+psycopg", "postgresql+asyncpg"])
def test_async_code_is_asked_too(database: Database, driver: str) -> None:
    model = row_security(database)
    database.execute("ALTER ROLE app BYPASSRLS")

    async def main() -> None:
        url = database.url("app").replace("postgresql:", f"{driver}:")
        async with Tenancy(url, model) as tenancy:
            with pytest.raises(UnsafeLogin, match='ALTER ROLE "app" NOBYPASSRLS'):
                async with tenancy.async_connection(ACME):
                    pass

    asyncio.run(main())


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_a_shared_table_with_the_column_may_be_without_walls(database: Database) -> None:
    row_security(database)
    database.execute("CREATE TABLE news (tenant_id uuid); GRANT SELECT ON news TO app")
    shared = RowSecurity(shared={"news"})
    with Tenancy(database.url("app"), shared) as tenancy, tenancy.connection(ACME):
        pass
