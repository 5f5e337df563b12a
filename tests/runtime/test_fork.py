"""A forked child has connections of its own, and its parent's are unharmed."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import threading
import traceback
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from partywall import Tenancy
from partywall.errors import WallError
from tests.runtime.houses import ACME, BOTH, GLOBEX, row_security

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from partywall import TenantContext
    from tests.conftest import Database

pytestmark = [
    pytest.mark.parametrize("server", ["postgres15"], indirect=True),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
]
READ = text("SELECT body FROM notes")
PROCESS = text("SELECT pg_backend_pid()")
HERE: list[Tenancy] = []
"""Where the children of `multiprocessing` find it: it can't be pickled, nor should it."""


@pytest.fixture
def tenancy(database: Database) -> Iterator[Tenancy]:
    with Tenancy(database.url("app"), row_security(database), connections=2) as opened:
        yield opened


def read(tenancy: Tenancy, context: TenantContext) -> list[str]:
    with tenancy.session(context) as session:
        return list(session.scalars(READ))


def process(tenancy: Tenancy) -> int:
    """The server process behind the pool's next connection."""
    with tenancy.session(ACME) as session:
        return int(session.scalar(PROCESS))


def fork() -> int:
    """`os.fork`; Python 3.12 warns when there are threads, which is what some tests are about."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def in_child(work: Callable[[], None]) -> int:
    """The exit code of a child that does *work* and then ends at once: nothing of pytest's runs."""
    child = fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        except SystemExit as asked:
            code = int(asked.code or 0)
        except BaseException:  # noqa: BLE001 - whatever it is, pytest must not go on in the child
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_child_opens_its_own_and_the_parent_keeps_its(tenancy: Tenancy) -> None:
    before = process(tenancy)

    def work() -> None:
        for context in BOTH:
            assert read(tenancy, context) == [context.tenant_id]
        assert process(tenancy) != before
        tenancy.close()

    assert in_child(work) == 0
    assert process(tenancy) == before
    assert read(tenancy, GLOBEX) == [GLOBEX.tenant_id]


def test_several_children_at_once(tenancy: Tenancy) -> None:
    before = process(tenancy)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        HERE[:] = [tenancy]
        context = multiprocessing.get_context("fork")
        with context.Pool(3) as children:
            turns = [BOTH[i % 2] for i in range(12)]
            rows = children.map(read_here, turns)
    assert rows == [[turn.tenant_id] for turn in turns]
    assert process(tenancy) == before


def read_here(context: TenantContext) -> list[str]:
    return read(HERE[0], context)


@contextmanager
def held_by_a_thread(tenancy: Tenancy) -> Iterator[None]:
    """A session that another thread has open, and commits afterwards."""
    begun, enough = threading.Event(), threading.Event()

    def hold() -> None:
        with tenancy.session(ACME) as session:
            session.execute(text("INSERT INTO notes (id, body) VALUES (2, 'written')"))
            begun.set()
            enough.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    assert begun.wait(30)
    try:
        yield
    finally:
        enough.set()
        thread.join()


def test_a_fork_while_a_thread_holds_a_session(tenancy: Tenancy) -> None:
    with held_by_a_thread(tenancy):
        assert in_child(lambda: child_reads_on_all_connections(tenancy)) == 0
    assert read(tenancy, ACME) == [ACME.tenant_id, "written"]


def child_reads_on_all_connections(tenancy: Tenancy) -> None:
    """None of the pool's two places is taken by what is the parent's."""
    with tenancy.session(ACME) as one, tenancy.session(GLOBEX) as other:
        assert list(one.scalars(READ)) == [ACME.tenant_id]
        assert list(other.scalars(READ)) == [GLOBEX.tenant_id]


@pytest.mark.parametrize("how", ["falls out", "raises", "exits", "speaks"])
def test_a_child_that_leaves_its_parent_s_block_harms_nothing(tenancy: Tenancy, how: str) -> None:
    """It has the parent's transaction open, and neither commits it nor rolls it back."""
    with tenancy.session(ACME) as session:
        session.execute(text("INSERT INTO notes (id, body) VALUES (2, 'written')"))

        def work() -> None:
            try:
                if how == "speaks":
                    with pytest.raises(WallError, match="forked"):
                        session.execute(READ)
                elif how == "falls out":
                    with pytest.raises(WallError, match="forked"):
                        session.commit()
                elif how == "raises":
                    session.rollback()
                else:
                    session.invalidate()
                    sys.exit(0)
            finally:
                session.close()
                assert read(tenancy, GLOBEX) == [GLOBEX.tenant_id]

        assert in_child(work) == 0
        assert len(list(session.scalars(READ))) == 2
    assert read(tenancy, ACME) == [ACME.tenant_id, "written"]


def test_a_plain_connection_of_the_parent_is_refused(tenancy: Tenancy) -> None:
    with tenancy.plain(ACME) as connection:
        cursor = connection.cursor()

        def work() -> None:
            with pytest.raises(WallError, match="forked"):
                connection.execute("SELECT 1")
            with pytest.raises(WallError, match="forked"):
                cursor.execute("SELECT 1")

        assert in_child(work) == 0
        assert connection.execute("SELECT body FROM notes").fetchall() == [(ACME.tenant_id,)]


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "postgresql+asyncpg"])
def test_a_child_of_async_code(database: Database, driver: str) -> None:
    url = database.url("app").replace("postgresql", driver, 1)

    async def main(tenancy: Tenancy) -> None:
        async def opened() -> int:
            async with tenancy.async_session(ACME) as session:
                return int(await session.scalar(PROCESS))

        async def other() -> None:
            async with tenancy.async_session(GLOBEX) as session:
                assert list(await session.scalars(READ)) == [GLOBEX.tenant_id]

        def work() -> None:
            asyncio.set_event_loop(None)
            asyncio.events._set_running_loop(None)  # noqa: SLF001 - the parent's; multiprocessing does so too
            asyncio.run(other())

        before = await opened()
        assert in_child(work) == 0
        assert await opened() == before
        await tenancy.async_close()

    asyncio.run(main(Tenancy(url, row_security(database))))
