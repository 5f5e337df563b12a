"""Behind PgBouncer with a pool of one: every transaction of both tenants meets one session."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from partywall import SchemaPerTenant, Tenancy, TenantContext
from partywall.errors import ConfigurationError, UnknownTenant
from partywall.servers import PgBouncer, Postgres, pgbouncer
from tests.runtime.houses import ACME, BOTH, DRIVERS, GLOBEX, HOUSES, row_security

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from partywall.isolation import IsolationModel
    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
ONE = {"default_pool_size": "1"}
UNCLEARED = {**ONE, "server_reset_query_always": "0"}
READ = text("SELECT body FROM notes")
SESSION = """
SELECT concat_ws(' ', pg_backend_pid(), current_user, current_setting('search_path'),
    current_setting('statement_timeout'), nullif(current_setting('app.tenant_id', true), ''),
    (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_cursors),
    (SELECT count(*) FROM pg_listening_channels()),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
    (SELECT count(*) FROM pg_class WHERE relpersistence = 't'))
"""
"""All that a tenant could have left in the one session, in a line."""

LEFT = {
    "set": "SET statement_timeout = '77s'",
    "tenant": f"SET app.tenant_id = '{GLOBEX.tenant_id}'",
    "search_path": "SET search_path = public",
    "listen": "LISTEN harbour",
    "temporary": "CREATE TEMP TABLE notes (id integer, body text)",
    "lock": "SELECT pg_advisory_lock(7)",
    "prepared": "PREPARE theirs AS SELECT 1",
    "cursor": "DECLARE held CURSOR WITH HOLD FOR SELECT 1",
}


@pytest.fixture(scope="module")
def of_one(postgres15: Postgres) -> Iterator[PgBouncer]:
    """A PgBouncer as the how-to says, with one session for all."""
    with pgbouncer(postgres15, ONE) as running:
        yield running


@pytest.fixture(params=HOUSES)
def model(request: pytest.FixtureRequest, database: Database) -> IsolationModel:
    return HOUSES[request.param](database)


@pytest.fixture
def tenancy(of_one: PgBouncer, database: Database, model: IsolationModel) -> Iterator[Tenancy]:
    with behind(of_one, database, model) as opened:
        yield opened


def behind(
    bouncer: PgBouncer, database: Database, model: IsolationModel, driver: str = DRIVERS[0]
) -> Tenancy:
    url = bouncer.url(database.name, "app").replace("postgresql", driver, 1)
    return Tenancy(url, model, pooler="transaction", connections=4)


def read(tenancy: Tenancy, context: TenantContext) -> list[str]:
    with tenancy.session(context) as session:
        return list(session.scalars(READ))


def write(tenancy: Tenancy, context: TenantContext, *statements: str) -> None:
    with tenancy.session(context) as session:
        for statement in statements:
            session.execute(text(statement))


def cut_off(session: Session, *statements: str) -> None:
    """Execute, and lose the connection: what the server sees when a client's machine dies."""
    for statement in statements:
        session.execute(text(statement))
    driver: Any = session.connection().connection.driver_connection
    wire = socket.socket(fileno=driver.fileno())
    wire.shutdown(socket.SHUT_RDWR)
    wire.detach()


async def async_read(tenancy: Tenancy, context: TenantContext) -> list[str]:
    async with tenancy.async_session(context) as session:
        return list(await session.scalars(READ))


def seen(bouncer: PgBouncer, database: Database) -> str:
    """What the next transaction of anybody finds in the session; all ways lead to the same one."""
    with psycopg.connect(bouncer.url(database.name, "app"), autocommit=True) as other:
        row = other.execute(SESSION.encode()).fetchone()
        assert row is not None
        return str(row[0])


def test_threads_of_both_tenants_read_their_own(tenancy: Tenancy) -> None:
    with ThreadPoolExecutor(8) as threads:
        turns = [BOTH[i % 2] for i in range(60)]
        for context, rows in zip(turns, threads.map(partial(read, tenancy), turns), strict=True):
            assert rows == [context.tenant_id]


@pytest.mark.parametrize("driver", DRIVERS)
def test_tasks_of_both_tenants_read_their_own(
    of_one: PgBouncer, database: Database, model: IsolationModel, driver: str
) -> None:
    async def main() -> None:
        async with behind(of_one, database, model, driver) as tenancy:
            turns = [BOTH[i % 2] for i in range(40)]
            rows = await asyncio.gather(*(async_read(tenancy, context) for context in turns))
            assert rows == [[context.tenant_id] for context in turns]

    asyncio.run(main())


@pytest.mark.parametrize("driver", DRIVERS)
def test_tasks_meet_a_pool_of_several_sessions(
    database: Database, server: Postgres, driver: str
) -> None:
    """asyncpg sends two messages for a query: outside of transactions they would part here."""

    async def main(bouncer: PgBouncer) -> None:
        async with behind(bouncer, database, row_security(database), driver) as tenancy:
            turns = [BOTH[i % 2] for i in range(40)]
            rows = await asyncio.gather(*(async_read(tenancy, context) for context in turns))
            assert rows == [[context.tenant_id] for context in turns]

    with pgbouncer(server, {"default_pool_size": "3", "server_round_robin": "1"}) as bouncer:
        asyncio.run(main(bouncer))


def test_a_committed_transaction_leaves_nothing(
    of_one: PgBouncer, database: Database, tenancy: Tenancy
) -> None:
    read(tenancy, ACME)
    before = seen(of_one, database)
    for left, statement in LEFT.items():
        write(tenancy, ACME, statement)
        assert seen(of_one, database) == before, left
        assert read(tenancy, GLOBEX) == [GLOBEX.tenant_id], left


def test_what_injected_sql_leaves_outside_of_the_transaction_is_cleared(
    of_one: PgBouncer, database: Database, tenancy: Tenancy
) -> None:
    """It commits by itself, and PgBouncer takes the session back before any check-in of ours."""
    read(tenancy, ACME)
    before = seen(of_one, database)
    for left, statement in LEFT.items():
        with suppress(DBAPIError), tenancy.session(ACME) as session:
            session.connection().exec_driver_sql(f"COMMIT; {statement}")
        assert seen(of_one, database) == before, left
        assert read(tenancy, GLOBEX) == [GLOBEX.tenant_id], left


def test_a_commit_that_the_server_refuses_leaves_nothing(
    of_one: PgBouncer, database: Database, tenancy: Tenancy
) -> None:
    """The check-in in the same message isn't reached, and no other message reaches the session."""
    read(tenancy, ACME)
    before = seen(of_one, database)
    twice = "INSERT INTO notes (id, body) VALUES (1, 'twice')"
    with pytest.raises(IntegrityError):
        write(tenancy, ACME, twice, LEFT["lock"], LEFT["prepared"])
    assert seen(of_one, database) == before
    assert read(tenancy, ACME) == [ACME.tenant_id]


def test_an_error_leaves_nothing(of_one: PgBouncer, database: Database, tenancy: Tenancy) -> None:
    read(tenancy, ACME)
    before = seen(of_one, database)
    with pytest.raises(DBAPIError):
        write(tenancy, ACME, LEFT["lock"], "SELECT 1 / 0")
    assert seen(of_one, database) == before
    assert read(tenancy, GLOBEX) == [GLOBEX.tenant_id]


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_cancelled_task_leaves_nothing(
    of_one: PgBouncer, database: Database, model: IsolationModel, driver: str
) -> None:
    async def endless(tenancy: Tenancy, begun: asyncio.Event) -> None:
        async with tenancy.async_session(ACME) as session:
            await session.execute(text("INSERT INTO notes (id, body) VALUES (2, 'half')"))
            await session.execute(text(LEFT["lock"]))
            begun.set()
            await session.execute(text("SELECT pg_sleep(60)"))

    async def main() -> None:
        async with behind(of_one, database, model, driver) as tenancy:
            begun = asyncio.Event()
            task = asyncio.create_task(endless(tenancy, begun))
            await begun.wait()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            for context in BOTH:
                assert await async_read(tenancy, context) == [context.tenant_id]
        assert seen(of_one, database).split()[-2] == "0"  # advisory locks

    asyncio.run(main())


def test_a_client_that_dies_in_mid_transaction_leaves_nothing(
    of_one: PgBouncer, database: Database, tenancy: Tenancy
) -> None:
    """PgBouncer closes a session that comes back in the midst of a transaction."""
    half = "INSERT INTO notes (id, body) VALUES (2, 'half')"
    with pytest.raises(DBAPIError), tenancy.session(ACME) as session:
        cut_off(session, half, LEFT["lock"])
    assert seen(of_one, database).split()[-2] == "0"  # advisory locks
    assert read(tenancy, ACME) == [ACME.tenant_id]


def test_statements_prepared_by_one_are_not_there_for_the_other(tenancy: Tenancy) -> None:
    """psycopg would prepare the sixth execution under a name that the other's also gets."""
    for _ in range(8):
        for context in BOTH:
            with tenancy.plain(context) as connection:
                found = connection.execute("SELECT body FROM notes WHERE id = %s", [1])
                assert found.fetchall() == [(context.tenant_id,)]
                named = connection.execute("SELECT count(*) FROM pg_prepared_statements")
                assert named.fetchone() == (0,)


def test_a_batch_enters_and_leaves_in_one_session(
    of_one: PgBouncer, database: Database, tenancy: Tenancy
) -> None:
    read(tenancy, ACME)
    before = seen(of_one, database)
    for context in BOTH:
        with tenancy.batch(context) as batch:
            rows = batch.execute("SELECT body FROM notes WHERE id = %s", [1])
            batch.execute(LEFT["lock"].encode())
            batch.execute(LEFT["set"].encode())
        assert rows.fetchall() == [(context.tenant_id,)]
    assert seen(of_one, database) == before


def test_an_unknown_tenant_s_failed_entry_spoils_nobody_s_session(
    of_one: PgBouncer, database: Database
) -> None:
    with behind(of_one, database, HOUSES["schemas"](database)) as tenancy:
        with pytest.raises(UnknownTenant), tenancy.session(TenantContext("stranger")) as session:
            session.execute(READ)
        assert read(tenancy, ACME) == [ACME.tenant_id]


def test_a_pooler_that_clears_nothing_is_refused(server: Postgres, database: Database) -> None:
    with (
        pgbouncer(server, UNCLEARED) as bouncer,
        behind(bouncer, database, row_security(database)) as tenancy,
        pytest.raises(ConfigurationError, match="server_reset_query_always = 1"),
    ):
        read(tenancy, ACME)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_pooler_that_nothing_was_said_of_is_refused(
    of_one: PgBouncer, database: Database, driver: str
) -> None:
    url = of_one.url(database.name, "app").replace("postgresql", driver, 1)

    async def main() -> None:
        async with Tenancy(url, row_security(database)) as tenancy:
            for _ in range(2):  # a refusal is no answer that the next connection could rely on
                with pytest.raises(ConfigurationError, match='pooler="transaction"'):
                    read(tenancy, ACME)
                with pytest.raises(ConfigurationError, match='pooler="transaction"'):
                    await async_read(tenancy, ACME)

    asyncio.run(main())


def test_a_pooler_that_keeps_sessions_together_needs_no_word(
    server: Postgres, database: Database
) -> None:
    with pgbouncer(server, {"pool_mode": "session"}) as bouncer:
        url = bouncer.url(database.name, "app")
        with Tenancy(url, row_security(database)) as tenancy:
            assert read(tenancy, ACME) == [ACME.tenant_id]


def test_schemas_need_an_empty_path_of_the_login_s_own(
    server: Postgres, database: Database
) -> None:
    """It can't be given at log-in: who logs in to the server is PgBouncer."""
    model = HOUSES["schemas"](database)
    assert isinstance(model, SchemaPerTenant)
    database.execute("ALTER ROLE app RESET search_path")
    with pgbouncer(server, ONE) as bouncer, behind(bouncer, database, model) as tenancy:
        with pytest.raises(ConfigurationError) as refused:
            read(tenancy, ACME)
        database.execute(str(refused.value).partition("write ")[2].partition(";")[0])
        with psycopg.connect(bouncer.url("pgbouncer"), autocommit=True) as console:
            console.execute("RECONNECT")
        assert read(tenancy, ACME) == [ACME.tenant_id]
        with tenancy.session(ACME) as session:
            session.execute(text("RESET search_path"))
            with pytest.raises(DBAPIError, match="does not exist"):
                session.execute(READ)
            session.rollback()
