"""SQL that a tenant says itself, with all that its login may: what stays refused then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.runtime.breakin.house import ACME, GLOBEX, ROWS, House, said

if TYPE_CHECKING:
    from partywall import TenantContext
    from partywall.runtime.session import TenantSession

ROLES = pytest.mark.parametrize("foundation", ["roles"], indirect=True)
SHARED_POOL = pytest.mark.parametrize(
    "foundation", ["rows", "sealed", "schemas", "roles"], indirect=True
)


def own(context: TenantContext) -> str:
    """The tenant's schema and role under `roles`, quoted."""
    return f'"r_{context.tenant_id.replace("-", "_")}"'


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT body /* ; */ FROM note ORDER BY id",
        "SELECT body FROM note -- ; COMMIT\n ORDER BY id",
        "/* ROLLBACK; */ SELECT body FROM note WHERE body <> '; COMMIT; --' ORDER BY id;",
        "SELECT body FROM note WHERE body <> $$; RESET ALL; $$ ORDER BY id",
    ],
)
def test_comments_and_semicolons_are_part_of_a_statement(house: House, statement: str) -> None:
    for context in (ACME, GLOBEX):
        found = house.work(context, lambda session: session.scalars(text(statement)).all())
        assert found == list(ROWS[context.tenant_id].values())
    house.intact()


SMUGGLED = "SELECT 1; COMMIT; SET work_mem = '7MB'; SET app.tenant_id = '{}'"


@SHARED_POOL
def test_several_statements_in_one_leave_nothing(house: House) -> None:
    """Psycopg sends them as they are, asyncpg refuses; the next tenant notices neither."""
    several = text(SMUGGLED.format(ACME.tenant_id).replace(":", r"\:"))
    try:
        house.work(ACME, lambda session: session.execute(several))
    except DBAPIError:
        assert house.driver == "asyncpg"
    assert house.say(GLOBEX, "SHOW work_mem") != [("7MB",)]
    house.intact()


@ROLES
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT body FROM {}.note",
        "INSERT INTO {}.note (id, body) VALUES (50, 'new')",
        "UPDATE {}.note SET body = 'x'",
        "DELETE FROM {}.line",
        "TRUNCATE {}.line",
        "LOCK TABLE {}.note",
        "COPY {}.note TO STDOUT",
        "CREATE TABLE {}.mine (id int)",
        "CREATE FUNCTION {}.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "GRANT ALL ON {}.note TO PUBLIC",
        "ALTER TABLE {}.note DISABLE TRIGGER ALL",
        "DROP SCHEMA {} CASCADE",
    ],
)
def test_another_tenants_schema_is_refused_by_its_name(house: House, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        house.say(ACME, statement.format(own(GLOBEX)))
    house.intact()


@ROLES
def test_a_path_to_another_tenants_schema_leads_nowhere(house: House) -> None:
    with pytest.raises(DBAPIError, match="does not exist"):
        house.say(ACME, f"SET search_path = {own(GLOBEX)}", "SELECT body FROM note")
    house.intact()


@ROLES
def test_the_login_itself_has_no_tenants_rights(house: House) -> None:
    """RESET ROLE leads to the login, which inherits nothing of the tenants' roles."""
    for context in (ACME, GLOBEX):
        with pytest.raises(DBAPIError, match="permission denied"):
            house.say(ACME, "RESET ROLE", f"SELECT body FROM {own(context)}.note")
    house.intact()


@ROLES
def test_becoming_another_role_does_not_outlive_the_block(house: House) -> None:
    """The login may become each tenant, so injected SQL may: `roles` is no wall against SET ROLE.

    What holds, and is tried here: nobody finds the role there afterwards.
    """
    for leaving in ([], ["COMMIT"]):
        become = [*leaving, f"SET ROLE {own(GLOBEX)}", f"SELECT count(*) FROM {own(GLOBEX)}.note"]
        assert house.say(ACME, *become) == [(3,)]
        with pytest.raises(DBAPIError, match="permission denied"):
            house.say(ACME, f"SELECT count(*) FROM {own(GLOBEX)}.note")
        assert house.say(GLOBEX, "COMMIT", "SELECT current_user") == [("app",)]
    house.intact()


@SHARED_POOL
def test_copy_out_gives_the_tenants_rows_alone(sync_house: House) -> None:
    """Also row security holds for it."""
    for context in (ACME, GLOBEX):
        with (
            sync_house.tenancy.plain(context) as connection,
            connection.cursor().copy("COPY note (id, body) TO STDOUT") as copy,
        ):
            copy.set_types(["int4", "text"])
            assert dict(copy.rows()) == ROWS[context.tenant_id]


@SHARED_POOL
@pytest.mark.parametrize("queue", ["psycopg", "libpq"])
def test_a_notification_left_unread_is_not_the_next_tenants(sync_house: House, queue: str) -> None:
    """The server has sent it before the block ended, and the client has it in its queue."""

    def leave(session: TenantSession) -> int:
        pid = int(said(session, "SELECT pg_backend_pid()")[0][0])
        said(session, "COMMIT", "LISTEN leak")
        notify = "SELECT pg_notify('leak', 'acme secret')"
        if queue == "psycopg":
            said(session, notify)
        else:
            driver = session.connection().connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            driver.pgconn.exec_(notify.encode())
        return pid

    before = sync_house.work(ACME, leave)
    with sync_house.tenancy.plain(GLOBEX) as connection:
        cursor = connection.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() == (before,)
        driver = cursor.connection
        assert list(driver.notifies(timeout=0)) == []
    with sync_house.tenancy.session(GLOBEX) as session:
        said(session, "SELECT 1")
        raw = session.connection().connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        assert raw.pgconn.notifies() is None


@SHARED_POOL
@pytest.mark.parametrize("what", ["handler", "notices"])
def test_a_handler_of_one_tenant_hears_nothing_of_the_next(sync_house: House, what: str) -> None:
    heard: list[object] = []
    with sync_house.tenancy.session(ACME) as session:
        driver = session.connection().connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        if what == "handler":
            driver.add_notify_handler(heard.append)
        else:
            driver.add_notice_handler(heard.append)
        said(session, "SELECT 1")
    sync_house.say(GLOBEX, "DO $$BEGIN RAISE NOTICE 'globex'; END$$")
    sync_house.say(GLOBEX, "COMMIT", "LISTEN leak", "SELECT pg_notify('leak', 'globex')")
    sync_house.say(GLOBEX, "SELECT 1")
    assert heard == []


@SHARED_POOL
@pytest.mark.parametrize("house", ["asyncpg"], indirect=True)
def test_a_listener_of_one_tenant_hears_nothing_of_the_next(house: House) -> None:
    heard: list[object] = []

    def listened(*what: object) -> None:
        heard.append(what)

    async def main() -> None:
        async with house.tenancy.async_connection(ACME) as connection:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            await raw.add_listener("leak", listened)
            raw.add_log_listener(listened)
        for context in (GLOBEX, ACME):
            async with house.tenancy.async_connection(context) as connection:
                for statement in ("COMMIT", "LISTEN leak", "SELECT pg_notify('leak', 'globex')"):
                    await connection.exec_driver_sql(statement)
                await connection.exec_driver_sql("DO $$BEGIN RAISE WARNING 'globex'; END$$")

    house.run(main())
    assert heard == []
