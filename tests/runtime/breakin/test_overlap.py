"""Psycopg's entering is sent and not waited for: whatever comes first waits for its answer."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from partywall import TenantContext
from partywall.errors import PartywallError, UnknownTenant, WallError
from tests.runtime.breakin.house import ACME, GLOBEX, ROWS, House, said
from tests.runtime.breakin.test_pool_reuse import Stop, same_backend
from tests.runtime.test_fork import in_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from partywall.runtime.session import TenantSession

PSYCOPG = pytest.mark.parametrize("house", ["psycopg", "psycopg-async"], indirect=True)
ASYNC = pytest.mark.parametrize("house", ["psycopg-async"], indirect=True)
SCHEMAS = pytest.mark.parametrize("foundation", ["schemas", "roles"], indirect=True)
BODIES = "SELECT body FROM note ORDER BY id"
INSERT = "INSERT INTO note (id, body) VALUES (3, 'acme 3')"
NOBODY = TenantContext("nobody")


def bodies(context: TenantContext) -> list[tuple[str]]:
    """What `BODIES` gives."""
    return [(body,) for body in ROWS[context.tenant_id].values()]


@contextmanager
def asleep(backend: int) -> Iterator[None]:
    """Have a backend answer nothing for a moment."""
    os.kill(backend, signal.SIGSTOP)
    waking = threading.Timer(0.1, os.kill, (backend, signal.SIGCONT))
    waking.start()
    try:
        yield
    finally:
        waking.join()


@PSYCOPG
@pytest.mark.parametrize("how", ["commit", "rollback", "error", "stop", "end"])
def test_a_block_that_enters_and_says_nothing(house: House, how: str) -> None:
    before = house.backend(ACME)

    def act(session: TenantSession) -> None:
        session.connection()
        if how in {"commit", "rollback"}:
            getattr(session, how)()
        if how == "error":
            raise LookupError
        if how == "stop":
            raise Stop

    lost = {"error": LookupError, "stop": Stop}.get(how)
    with pytest.raises(lost) if lost else nullcontext():
        house.work(ACME, act)
    assert same_backend(house, before) is (how != "stop")
    house.intact()


@pytest.mark.parametrize("how", ["error", "stop", "end"])
def test_a_plain_block_that_says_nothing(sync_house: House, how: str) -> None:
    before = sync_house.backend(ACME)
    lost = {"error": LookupError, "stop": Stop}.get(how)
    with pytest.raises(lost) if lost else nullcontext(), sync_house.tenancy.plain(ACME):
        if lost:
            raise lost
    assert same_backend(sync_house, before) is (how != "stop")
    sync_house.intact()


@ASYNC
def test_a_cancellation_before_the_first_statement(house: House) -> None:
    before = house.backend(ACME)
    reached = asyncio.Event()

    async def waits() -> None:
        async with house.tenancy.async_session(ACME) as session:
            _ = await session.connection()
            reached.set()
            await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(waits())
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    house.run(main())
    assert not same_backend(house, before)
    house.intact()


def committing(session: TenantSession) -> None:
    """Enter, and commit nothing."""
    session.connection()
    session.commit()


FIRST: dict[str, Callable[[TenantSession], object]] = {
    "execute": lambda session: session.execute(text("SELECT 1")),
    "savepoint": lambda session: session.connection().begin_nested(),
    "commit": committing,
}


@SCHEMAS
@PSYCOPG
@pytest.mark.parametrize("first", FIRST)
def test_an_unknown_tenant_is_noticed_by_whatever_comes_first(house: House, first: str) -> None:
    before = house.backend(ACME)
    with pytest.raises(UnknownTenant, match="provision"):
        house.work(NOBODY, FIRST[first])
    assert house.backend(GLOBEX) != before
    house.intact()


@SCHEMAS
@PSYCOPG
def test_an_unknown_tenant_swallowed_is_no_commit(house: House) -> None:
    def act(session: TenantSession) -> None:
        with pytest.raises(UnknownTenant):
            said(session, "SELECT 1")
        with pytest.raises(WallError, match="half-way"):
            said(session, "SELECT 1")

    with pytest.raises(WallError, match="half-way"):
        house.work(NOBODY, act)
    house.intact()


@SCHEMAS
def test_an_unknown_tenant_on_other_connections(sync_house: House) -> None:
    tenancy = sync_house.tenancy
    with pytest.raises(UnknownTenant), tenancy.connection(NOBODY) as core:
        core.execute(text("SELECT 1"))
    with pytest.raises(UnknownTenant), tenancy.connection(NOBODY):
        pass
    with pytest.raises(UnknownTenant), tenancy.plain(NOBODY) as plain:
        plain.execute("SELECT 1")
    with pytest.raises(UnknownTenant), tenancy.plain(NOBODY):
        pass
    sync_house.intact()


@SCHEMAS
@ASYNC
def test_an_unknown_tenant_on_other_async_connections(house: House) -> None:
    async def main() -> None:
        with pytest.raises(UnknownTenant):
            async with house.tenancy.async_connection(NOBODY) as core:
                await core.execute(text("SELECT 1"))
        with pytest.raises(UnknownTenant):
            async with house.tenancy.async_plain(NOBODY) as plain:
                await plain.execute("SELECT 1")
        with pytest.raises(UnknownTenant):
            async with house.tenancy.async_plain(NOBODY):
                pass

    house.run(main())
    house.intact()


def piped(connection: Any) -> list[tuple[str]]:  # noqa: ANN401 - psycopg's or ours
    with connection.pipeline():
        cursor = connection.execute(BODIES)
    return list(cursor.fetchall())


def in_a_savepoint(connection: Any) -> list[tuple[str]]:  # noqa: ANN401 - psycopg's or ours
    with connection.transaction():
        return list(connection.execute(BODIES).fetchall())


def by_name(connection: Any) -> list[tuple[str]]:  # noqa: ANN401 - psycopg's or ours
    with connection.cursor("export") as cursor:
        return list(cursor.execute(BODIES))


def copied(connection: Any) -> list[tuple[str]]:  # noqa: ANN401 - psycopg's or ours
    with connection.cursor().copy(f"COPY ({BODIES}) TO STDOUT") as copy:
        return list(copy.rows())


def many(connection: Any) -> list[tuple[str]]:  # noqa: ANN401 - psycopg's or ours
    connection.cursor().executemany("UPDATE note SET body = body WHERE id = %s", [(1,), (2,)])
    return sorted(connection.execute(BODIES).fetchall())


WAYS: dict[str, Callable[[Any], list[tuple[str]]]] = {
    "execute": lambda connection: list(connection.execute(BODIES).fetchall()),
    "cursor": lambda connection: list(connection.cursor().execute(BODIES)),
    "stream": lambda connection: list(connection.cursor().stream(BODIES)),
    "pipeline": piped,
    "savepoint": in_a_savepoint,
    "named cursor": by_name,
    "copy": copied,
    "executemany": many,
}


@pytest.mark.parametrize("way", WAYS)
def test_whatever_comes_first_is_the_tenants(sync_house: House, way: str) -> None:
    for context in (ACME, GLOBEX, ACME):
        with sync_house.tenancy.plain(context) as connection:
            assert WAYS[way](connection) == bodies(context)
    sync_house.intact()


@pytest.mark.parametrize("way", sorted(WAYS.keys() - {"pipeline", "savepoint"}))
def test_also_on_the_drivers_own_connection(sync_house: House, way: str) -> None:
    for context in (ACME, GLOBEX, ACME):
        with sync_house.tenancy.session(context) as session:
            driver = session.connection().connection.driver_connection
            assert WAYS[way](driver) == bodies(context)
    sync_house.intact()


@ASYNC
@pytest.mark.parametrize("way", ["pipeline", "savepoint", "copy", "stream", "named"])
def test_whatever_comes_first_is_the_tenants_in_async_code(house: House, way: str) -> None:
    async def found(connection: Any) -> list[tuple[str]]:  # noqa: ANN401 - ours
        if way == "pipeline":
            async with connection.pipeline():
                cursor = await connection.execute(BODIES)
            return list(await cursor.fetchall())
        if way == "savepoint":
            async with connection.transaction():
                return list(await (await connection.execute(BODIES)).fetchall())
        if way == "copy":
            async with connection.cursor().copy(f"COPY ({BODIES}) TO STDOUT") as copy:
                return [row async for row in copy.rows()]
        if way == "stream":
            return [row async for row in connection.cursor().stream(BODIES)]
        async with connection.cursor("export") as cursor:
            await cursor.execute(BODIES)
            return [row async for row in cursor]

    async def main() -> None:
        for context in (ACME, GLOBEX, ACME):
            async with house.tenancy.async_plain(context) as connection:
                assert await found(connection) == bodies(context)

    house.run(main())
    house.intact()


PAST: dict[str, Callable[[Any], object]] = {
    "commit": lambda driver: driver.commit(),
    "rollback": lambda driver: driver.rollback(),
    "libpq": lambda driver: driver.pgconn.exec_(INSERT.encode()),
    "libpq, posted": lambda driver: driver.pgconn.send_query(INSERT.encode()),
    "notifies": lambda driver: list(driver.notifies(timeout=0)),
    "cancel": lambda driver: driver.cancel(),
    "close": lambda driver: driver.close(),
    "pipeline": piped,
    "savepoint": in_a_savepoint,
    "autocommit": lambda driver: driver.set_autocommit(False),
}
"""What gets past the cursors, on the driver's own connection."""


@pytest.mark.parametrize("way", PAST)
def test_what_gets_past_the_cursors_leaves_nothing_of_one_tenant_to_the_next(
    sync_house: House, way: str
) -> None:
    with (
        suppress(DBAPIError, PartywallError, psycopg.Error),
        sync_house.tenancy.session(ACME) as session,
    ):
        PAST[way](session.connection().connection.driver_connection)
        assert said(session, BODIES)[:2] == bodies(ACME)[:2]
        session.rollback()
    sync_house.intact()


@PSYCOPG
@pytest.mark.parametrize("says", [True, False])
def test_a_backend_killed_before_the_first_statement(house: House, *, says: bool) -> None:
    before = house.backend(ACME)

    def act(session: TenantSession) -> None:
        session.connection()
        house.foundation.owner(ACME, f"SELECT pg_terminate_backend({before}, 5000)")
        if says:
            said(session, INSERT)

    with pytest.raises(DBAPIError):
        house.work(ACME, act)
    assert not same_backend(house, before)
    house.intact()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("foundation", ["rows"], indirect=True)
def test_a_fork_before_the_first_statement(sync_house: House) -> None:
    with sync_house.tenancy.session(ACME) as session:
        connection = session.connection()

        def work() -> None:
            with pytest.raises(WallError, match="forked"):
                connection.exec_driver_sql(BODIES)
            session.close()
            assert sync_house.rows(GLOBEX) == ROWS[GLOBEX.tenant_id]

        assert in_child(work) == 0
        assert said(session, BODIES) == bodies(ACME)
    sync_house.intact()


@ASYNC
@pytest.mark.parametrize("swallowed", [False, True])
def test_a_time_out_while_the_answer_is_awaited(house: House, *, swallowed: bool) -> None:
    """Whether the server has begun the transaction, nobody knows."""
    before = house.backend(ACME)

    async def main() -> None:
        with asleep(before):
            async with house.tenancy.async_plain(ACME) as connection:
                with suppress(TimeoutError) if swallowed else nullcontext():
                    async with asyncio.timeout(0.01):
                        await connection.execute(INSERT)
                with pytest.raises(WallError, match="half-way"):
                    await connection.execute(INSERT)

    with pytest.raises(WallError if swallowed else TimeoutError):
        house.run(main())
    assert not same_backend(house, before)
    house.intact()


def test_threads_that_share_a_connection_before_the_first_statement(sync_house: House) -> None:
    for context in (ACME, GLOBEX) * 5:
        with sync_house.tenancy.plain(context) as connection, ThreadPoolExecutor(4) as threads:
            both = threads.map(lambda c: c.execute(BODIES).fetchall(), [connection] * 4)
            assert list(both) == [bodies(context)] * 4


@ASYNC
def test_tasks_that_share_a_connection_before_the_first_statement(house: House) -> None:
    async def main() -> None:
        for context in (ACME, GLOBEX, ACME):
            async with house.tenancy.async_plain(context) as connection:
                cursors = await asyncio.gather(*(connection.execute(BODIES) for _ in range(4)))
                for cursor in cursors:
                    assert await cursor.fetchall() == bodies(context)

    house.run(main())
