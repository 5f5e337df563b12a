"""Threads, executors and tasks: the tenant goes where the context is passed, and nowhere else."""

from __future__ import annotations

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from partywall import Tenancy, TenantContext
from tests.runtime.houses import ACME, BOTH, DRIVERS, GLOBEX, HOUSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.isolation import IsolationModel
    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
READ = text("SELECT body FROM notes")
MANY = 60


@pytest.fixture(params=HOUSES)
def model(request: pytest.FixtureRequest, database: Database) -> IsolationModel:
    return HOUSES[request.param](database)


@pytest.fixture
def tenancy(database: Database, model: IsolationModel) -> Iterator[Tenancy]:
    """With fewer connections than threads, so that they pass from tenant to tenant."""
    with Tenancy(database.url("app"), model, connections=3) as opened:
        yield opened


def read(tenancy: Tenancy, context: TenantContext) -> list[str]:
    with tenancy.session(context) as session:
        return list(session.scalars(READ))


def turns(seed: int) -> list[TenantContext]:
    return random.Random(seed).choices(BOTH, k=MANY)  # noqa: S311 - an order of play, no secret


def test_threads_share_the_pool_and_no_tenant(tenancy: Tenancy) -> None:
    with ThreadPoolExecutor(8) as threads:
        asked = turns(1)
        rows = list(threads.map(lambda context: read(tenancy, context), asked))
    assert rows == [[context.tenant_id] for context in asked]
    assert tenancy.health().pool.in_use == 0


def test_two_tenants_at_the_same_moment(tenancy: Tenancy) -> None:
    """Each thread reads while the other is inside of its transaction."""
    together = threading.Barrier(2, timeout=30)

    def read_together(context: TenantContext) -> list[str]:
        with tenancy.session(context) as session:
            first = list(session.scalars(READ))
            together.wait()
            again = list(session.scalars(READ))
            together.wait()
            return first + again

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(read_together, BOTH)) == [[t.tenant_id] * 2 for t in BOTH]


def test_sessions_within_sessions(tenancy: Tenancy) -> None:
    with tenancy.session(ACME) as outer, tenancy.session(GLOBEX) as inner:
        assert list(inner.scalars(READ)) == [GLOBEX.tenant_id]
        assert list(outer.scalars(READ)) == [ACME.tenant_id]


def test_a_new_thread_inherits_no_tenant(tenancy: Tenancy) -> None:
    """There is nothing to inherit: whoever opens a session says for whom."""
    with tenancy.session(ACME), ThreadPoolExecutor(1) as thread:
        assert thread.submit(read, tenancy, GLOBEX).result() == [GLOBEX.tenant_id]


def test_run_in_executor_takes_the_context_along(tenancy: Tenancy) -> None:
    async def main() -> list[list[str]]:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(6) as executor:
            return await asyncio.gather(
                *(loop.run_in_executor(executor, read, tenancy, context) for context in turns(2))
            )

    assert asyncio.run(main()) == [[context.tenant_id] for context in turns(2)]


def test_to_thread_beside_async_sessions(database: Database, model: IsolationModel) -> None:
    """Sync and async code of one tenancy at once, each with its own pool."""

    async def both(tenancy: Tenancy, context: TenantContext) -> list[str]:
        async with tenancy.async_session(context) as session:
            own = list(await session.scalars(READ))
            return own + await asyncio.to_thread(read, tenancy, context)

    async def main() -> list[list[str]]:
        async with Tenancy(database.url("app"), model, connections=3) as tenancy:
            return await asyncio.gather(*(both(tenancy, context) for context in turns(3)))

    assert asyncio.run(main()) == [[context.tenant_id] * 2 for context in turns(3)]


@pytest.mark.parametrize("driver", DRIVERS)
def test_tasks(database: Database, model: IsolationModel, driver: str) -> None:
    async def reading(tenancy: Tenancy, context: TenantContext) -> list[str]:
        async with tenancy.async_session(context) as session:
            first = list(await session.scalars(READ))
            await asyncio.sleep(0)  # another task's turn, in the midst of the transaction
            return first + list(await session.scalars(READ))

    async def main() -> list[list[str]]:
        url = database.url("app").replace("postgresql", driver, 1)
        async with Tenancy(url, model, connections=3) as tenancy:
            return await asyncio.gather(*(reading(tenancy, context) for context in turns(4)))

    assert asyncio.run(main()) == [[context.tenant_id] * 2 for context in turns(4)]


def test_background_work_after_the_response(tenancy: Tenancy) -> None:
    """The request's session is over; what it started opens its own, with its context."""
    done: list[list[str]] = []
    with tenancy.session(ACME) as session:
        context = session.context
        later = threading.Thread(target=lambda: done.append(read(tenancy, context)))
    later.start()
    assert read(tenancy, GLOBEX) == [GLOBEX.tenant_id]
    later.join()
    assert done == [[ACME.tenant_id]]


def test_the_context_travels_to_a_job_as_text(tenancy: Tenancy) -> None:
    assert read(tenancy, TenantContext.from_json(GLOBEX.to_json())) == [GLOBEX.tenant_id]


@pytest.mark.parametrize("driver", DRIVERS)
def test_tasks_that_wait_come_before_one_that_comes_again(
    database: Database, model: IsolationModel, driver: str
) -> None:
    """Whoever gives a connection back would else take it again before the others are woken."""
    order: list[int] = []

    async def client(tenancy: Tenancy, number: int) -> None:
        for _ in range(20):
            async with tenancy.async_session(BOTH[number % 2]) as session:
                assert (await session.scalars(READ)).all() == [BOTH[number % 2].tenant_id]
                order.append(number)

    async def main() -> None:
        url = database.url("app").replace("postgresql", driver, 1)
        async with Tenancy(url, model, connections=1) as tenancy:
            await client(tenancy, 0)
            order.clear()
            await asyncio.gather(*(client(tenancy, number) for number in range(4)))

    asyncio.run(main())
    assert [order[turn : turn + 4] for turn in range(0, 80, 4)] == [[0, 1, 2, 3]] * 20
