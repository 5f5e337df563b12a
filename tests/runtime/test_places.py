"""One bounded pool of pools, against real servers and files."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from partywall.context import TenantContext
from partywall.errors import ConfigurationError, PoolTimeout, UnknownTenant
from partywall.isolation import DatabasePerTenant, Place
from partywall.runtime.events import Observer
from partywall.runtime.tenancy import Tenancy
from tests.conftest import clear
from tests.runtime.provisioned import ME, asked, carried_out, me, open_now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.servers import Postgres

TENANTS = [f"n{number}" for number in range(30)]
A, B, C = (TenantContext(tenant) for tenant in TENANTS[:3])
DRIVERS = pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
BACKENDS = b"SELECT pid, datname FROM pg_stat_activity WHERE usename = 'app'"


class Town:
    """A server with a database for each of `TENANTS`, and the login `app`."""

    def __init__(self, server: Postgres, control: psycopg.Connection) -> None:
        self.server = server
        self.control = control

    def tenancy(self, driver: str = "psycopg", **options: Any) -> Tenancy:  # noqa: ANN401 - Tenancy's
        url = self.server.url(user="app").replace("postgresql:", f"postgresql+{driver}:", 1)
        options.setdefault("isolation", DatabasePerTenant())
        return Tenancy(url, **options)

    def backends(self) -> Counter[str]:
        """How many connections of the application each database has."""
        rows = self.control.execute(BACKENDS).fetchall()
        return Counter(str(database) for _, database in rows)


def settled(control: psycopg.Connection) -> None:
    """Wait until the backends of an earlier test have gone."""
    while control.execute(BACKENDS).fetchall():
        pass


@pytest.fixture(scope="module")
def built(postgres15: Postgres) -> Iterator[Town]:
    with psycopg.connect(postgres15.url(), autocommit=True) as control:
        control.execute("CREATE ROLE app LOGIN")
        try:
            for tenant in TENANTS:
                carried_out(postgres15, DatabasePerTenant().provision(tenant, "app"))
            yield Town(postgres15, control)
        finally:
            clear(control)


@pytest.fixture
def town(built: Town) -> Town:
    settled(built.control)
    return built


class Waits(Observer):
    """Counts who waited in vain, and who did not."""

    def __init__(self) -> None:
        self.seen: Counter[bool] = Counter()

    def waited(self, duration_s: float, *, timed_out: bool) -> None:
        assert duration_s >= 0
        self.seen[timed_out] += 1


async def async_asked(tenancy: Tenancy, context: TenantContext) -> tuple[str, int]:
    async with tenancy.async_session(context) as session:
        database, pid = (await session.execute(text(ME))).scalar_one().split()
        return database, int(pid)


def test_each_tenant_is_in_its_own_database(town: Town) -> None:
    with town.tenancy(connections=2) as tenancy:
        for tenant in TENANTS[:6]:
            assert asked(tenancy, TenantContext(tenant))[0] == f"t_{tenant}"
        assert open_now(tenancy) == (0, 2)


def test_the_limit_holds_under_threads(town: Town) -> None:
    with town.tenancy(connections=5) as tenancy, ThreadPoolExecutor(50) as threads:
        jobs = [threads.submit(asked, tenancy, TenantContext(t)) for t in TENANTS * 10]
        seen: list[set[int]] = []
        since: dict[int, float] = {}
        while not all(job.done() for job in jobs):
            now = time.monotonic()
            seen.append({int(pid) for pid, _ in town.control.execute(BACKENDS).fetchall()})
            since = {pid: since.get(pid, now) for pid in seen[-1]}
            # A backend whose client has closed takes a moment to go: no more than the limit last.
            assert sum(now - first > 0.5 for first in since.values()) <= 5
        assert max(map(len, seen)) >= 5, "the limit was never reached"
        assert [job.result()[0] for job in jobs] == [f"t_{t}" for t in TENANTS * 10]
        assert open_now(tenancy) == (0, 5)


@DRIVERS
def test_the_limit_holds_under_tasks(town: Town, driver: str) -> None:
    async def main() -> None:
        async with town.tenancy(driver, connections=5) as tenancy:
            contexts = [TenantContext(tenant) for tenant in TENANTS * 5]
            found = await asyncio.gather(*(async_asked(tenancy, each) for each in contexts))
            assert [database for database, _ in found] == [f"t_{t}" for t in TENANTS * 5]
            assert open_now(tenancy, asynchronous=True) == (0, 5)
        assert open_now(tenancy, asynchronous=True) == (0, 0)

    asyncio.run(main())


def test_the_least_recently_used_connection_is_closed_first(town: Town) -> None:
    with town.tenancy(connections=2) as tenancy:
        first_a, first_b = asked(tenancy, A), asked(tenancy, B)
        assert asked(tenancy, A) == first_a
        asked(tenancy, C)
        assert asked(tenancy, A) == first_a
        assert asked(tenancy, B) != first_b


def test_a_stampede_on_one_tenant_leaves_the_others_alone(town: Town) -> None:
    model = DatabasePerTenant(connections_per_tenant=2)
    with town.tenancy(isolation=model, connections=4) as tenancy:
        before = asked(tenancy, B), asked(tenancy, C)
        with ThreadPoolExecutor(200) as threads:
            found = list(threads.map(lambda _: asked(tenancy, A), range(200)))
        assert len(set(found)) <= 2
        assert (asked(tenancy, B), asked(tenancy, C)) == before


@DRIVERS
def test_a_stampede_of_tasks_opens_no_more_than_the_share(town: Town, driver: str) -> None:
    async def main() -> None:
        async with town.tenancy(driver, connections=10) as tenancy:
            found = await asyncio.gather(*(async_asked(tenancy, A) for _ in range(200)))
            assert len(set(found)) <= 5

    asyncio.run(main())


def test_waiting_ends(town: Town) -> None:
    waits = Waits()
    with town.tenancy(connections=1, timeout_s=0.05, observer=waits) as tenancy:
        with tenancy.session(A) as session:
            session.execute(text("SELECT 1"))
            with pytest.raises(PoolTimeout, match="of 1 over all tenants"):
                asked(tenancy, B)
        assert waits.seen == {False: 1, True: 1}
        assert asked(tenancy, B)[0] == "t_n1"


@DRIVERS
def test_waiting_ends_in_async_code(town: Town, driver: str) -> None:
    async def main() -> None:
        waits = Waits()
        async with town.tenancy(driver, connections=1, timeout_s=0.05, observer=waits) as tenancy:
            async with tenancy.async_session(A) as session:
                await session.execute(text("SELECT 1"))
                with pytest.raises(PoolTimeout):
                    await async_asked(tenancy, B)
            assert waits.seen == {False: 1, True: 1}
            assert (await async_asked(tenancy, B))[0] == "t_n1"

    asyncio.run(main())


@DRIVERS
@pytest.mark.parametrize("granted", [False, True], ids=["waiting", "in the moment it is granted"])
def test_a_cancelled_wait_leaks_nothing(town: Town, driver: str, *, granted: bool) -> None:
    async def main() -> None:
        async with town.tenancy(driver, connections=1, timeout_s=5) as tenancy:
            async with AsyncExitStack() as stack:
                session = await stack.enter_async_context(tenancy.async_session(A))
                await session.execute(text("SELECT 1"))
                task = asyncio.create_task(async_asked(tenancy, B))
                for _ in range(20):  # until the task stands in the queue
                    await asyncio.sleep(0)
                if granted:
                    await stack.aclose()
                    assert open_now(tenancy, asynchronous=True) == (1, 0), "granted to the task"
                assert task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert open_now(tenancy, asynchronous=True) in {(0, 0), (0, 1)}
            assert (await async_asked(tenancy, C))[0] == "t_n2"

    asyncio.run(main())


def test_a_tenant_without_a_database_is_unknown_and_costs_no_permit(town: Town) -> None:
    with town.tenancy(connections=2) as tenancy:
        for number in range(5):
            with pytest.raises(UnknownTenant, match="no database"):
                asked(tenancy, TenantContext(f"nobody{number}"))
        assert open_now(tenancy) == (0, 0)
        assert asked(tenancy, A)[0] == "t_n0"


@DRIVERS
def test_a_tenant_without_a_database_is_unknown_to_async_code(town: Town, driver: str) -> None:
    async def main() -> None:
        async with town.tenancy(driver, connections=2) as tenancy:
            for number in range(5):
                with pytest.raises(UnknownTenant, match="no database"):
                    await async_asked(tenancy, TenantContext(f"nobody{number}"))
            assert open_now(tenancy, asynchronous=True) == (0, 0)
            assert (await async_asked(tenancy, A))[0] == "t_n0"

    asyncio.run(main())


def test_another_refusal_stays_the_drivers(town: Town) -> None:
    town.control.execute("REVOKE CONNECT ON DATABASE t_n0 FROM app")
    try:
        with town.tenancy(connections=1) as tenancy:
            with pytest.raises(DBAPIError, match="permission denied"):
                asked(tenancy, A)
            assert open_now(tenancy) == (0, 0)
    finally:
        town.control.execute("GRANT CONNECT ON DATABASE t_n0 TO app")


def test_a_poisoned_connection_gives_its_permit_back(town: Town) -> None:
    def interrupted() -> None:
        with tenancy.session(A) as session:
            session.execute(text("SELECT 1"))
            raise KeyboardInterrupt

    with town.tenancy(connections=1, timeout_s=1) as tenancy:
        for _ in range(3):
            with pytest.raises(KeyboardInterrupt):
                interrupted()
        assert open_now(tenancy) == (0, 0)
        assert asked(tenancy, B)[0] == "t_n1"


def test_a_killed_backend_gives_its_permit_back(town: Town) -> None:
    def cut_off() -> None:
        with tenancy.session(A) as session:
            town.control.execute("SELECT pg_terminate_backend(%s, 5000)", [me(session)[1]])
            session.execute(text("SELECT 1"))

    with town.tenancy(connections=1, timeout_s=1) as tenancy:
        for _ in range(3):
            with pytest.raises(DBAPIError):
                cut_off()
        assert open_now(tenancy) == (0, 0)
        assert asked(tenancy, B)[0] == "t_n1"


def test_a_database_dropped_under_a_live_pool_takes_nobody_along(town: Town) -> None:
    model, doomed = DatabasePerTenant(), TenantContext("doomed")
    carried_out(town.server, model.provision("doomed", "app"))
    with town.tenancy(connections=2) as tenancy:
        asked(tenancy, doomed)
        living = asked(tenancy, A)
        carried_out(town.server, model.remove("doomed"))
        with pytest.raises(DBAPIError):  # on the connection that was idle
            asked(tenancy, doomed)
        with pytest.raises(UnknownTenant):
            asked(tenancy, doomed)
        assert asked(tenancy, A) == living
        assert open_now(tenancy) == (0, 1)


def test_nobody_is_told_to_close_what_is_in_use(town: Town) -> None:
    with town.tenancy(connections=3) as tenancy, ExitStack() as stack:
        sessions = [stack.enter_context(tenancy.session(each)) for each in (A, B, C)]
        found = [me(session) for session in sessions]
        tenancy.close()
        assert [me(session) for session in sessions] == found
        assert open_now(tenancy) == (3, 0)


def test_sqlalchemy_may_dispose_of_one_place(town: Town) -> None:
    with town.tenancy(connections=3) as tenancy:
        asked(tenancy, A)
        living = asked(tenancy, B)
        tenancy.grounds.engine(tenancy.lease(A)).dispose()
        assert open_now(tenancy) == (0, 1)
        assert asked(tenancy, B) == living


@DRIVERS
def test_one_event_loop_after_the_other(town: Town, driver: str) -> None:
    tenancy = town.tenancy(driver, connections=2)

    async def main() -> tuple[str, int]:
        async with tenancy:
            return await async_asked(tenancy, A)

    assert asyncio.run(main())[0] == asyncio.run(main())[0] == "t_n0"


@DRIVERS
def test_two_event_loops_at_once_are_refused(town: Town, driver: str) -> None:
    async def main() -> None:
        async with town.tenancy(driver, connections=2) as tenancy:
            await async_asked(tenancy, A)
            with ThreadPoolExecutor(1) as other:
                job = other.submit(lambda: asyncio.run(async_asked(tenancy, A)))
                with pytest.raises(ConfigurationError, match="another event loop"):
                    job.result()
            assert (await async_asked(tenancy, A))[0] == "t_n0"

    asyncio.run(main())


def test_a_forked_child_leaves_the_parents_connections_alone(town: Town) -> None:
    with town.tenancy(connections=2) as tenancy:
        before = asked(tenancy, A), asked(tenancy, B)
        child = os.fork()
        if child == 0:
            try:
                fresh = asked(tenancy, A)
                tenancy.close()
                gc.collect()
                good = fresh[0] == "t_n0" and fresh != before[0]
            except BaseException:  # noqa: BLE001 - nothing may get out of the child
                good = False
            os._exit(0 if good else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert (asked(tenancy, A), asked(tenancy, B)) == before


def test_tenants_on_two_servers_share_the_limit(town: Town, postgres18: Postgres) -> None:
    placed = {"n0": "old", "far": "new", "lost": "gone"}
    model = DatabasePerTenant(placement=placed)
    with psycopg.connect(postgres18.url(), autocommit=True) as control:
        control.execute("CREATE ROLE app LOGIN")
        try:
            carried_out(postgres18, model.provision("far", "app"))
            servers = {"old": town.server.url(user="app"), "new": postgres18.url(user="app")}
            with town.tenancy(isolation=model, connections=1, servers=servers) as tenancy:
                for tenant in ("n0", "far", "n0"):
                    with tenancy.session(TenantContext(tenant)) as session:
                        assert me(session)[0] == f"t_{tenant}"
                        known: Any = session.get_bind().dialect
                        version = session.execute(text("SHOW server_version_num")).scalar_one()
                        assert known.server_version_info[0] == int(version) // 10000
                    assert open_now(tenancy) == (0, 1)
                with pytest.raises(UnknownTenant, match="placed on no server"):
                    asked(tenancy, B)
                with pytest.raises(ConfigurationError, match="'gone', which has no url"):
                    asked(tenancy, TenantContext("lost"))
        finally:
            clear(control)


def test_ten_thousand_places_cost_little(town: Town) -> None:
    with town.tenancy(connections=1) as tenancy:
        ground = tenancy.grounds.ground(asynchronous=False)
        first = ground.engine(Place("t_n0", database="t_n0"))
        gc.collect()
        tracemalloc.start()
        try:
            for number in range(10_000):
                engine = ground.engine(Place(f"t_{number}", database=f"t_{number}"))
                assert engine.dialect is first.dialect
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert kept < 4_000_000


def test_first_connections_of_many_threads_wait_for_the_dialect(town: Town) -> None:
    for _ in range(5):
        barrier = threading.Barrier(8)
        with town.tenancy(connections=8) as tenancy, ThreadPoolExecutor(8) as threads:

            def version(tenant: str, tenancy: Tenancy = tenancy) -> int:
                barrier.wait()  # noqa: B023 - of this round
                with tenancy.session(TenantContext(tenant)) as session:
                    session.execute(text("SELECT 1"))
                    dialect: Any = session.get_bind().dialect
                    return int(dialect.server_version_info[0])

            assert set(threads.map(version, TENANTS[:8])) == {15}
