"""Time tenants' workflows against bare DBOS, and how long one tenant waits behind another's many.

    python -m benchmarks.workflows                        # 2,000 jobs, and one behind 10,000
    python -m benchmarks.workflows --jobs 500 --many 1000

A job is a workflow of one step. `DBOS` is DBOS as it comes, used as one would use it without
tenants: one queue, the same limit and the same pause between two looks at it, its own
serialisation. `partywall` is the same job through `tenancy.workflows`: a queue in which each of
eight tenants has its partition, what is kept encrypted, each body and each step let in by the
directory. partywall also gives DBOS other connections than it has by itself, fewer and not asked
first whether they are there: `DBOS, our connections` is bare DBOS with those.

All are started before they are run, in processes of their own, in turns, on a server of their own.
The time is from the launch to the last one's end. The ratio is the median of the rounds', each of
a round whose runs came right after each other: a machine that others use changes from minute to
minute. Where partywall takes more than 1.1 times as long as DBOS, this fails.

Then one tenant has 10,000 waiting, and another starts one and waits for its result, five times,
with the limits of every day; the same before, with nothing waiting.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import statistics
import sys
import tempfile
import time
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

import psycopg
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions
from rich.console import Console
from rich.table import Table

from benchmarks.audit import servers
from partywall import ScopedQueries, Tenancy, TenantContext
from partywall.adapters.dbos import DbosWorkflows
from partywall.adapters.dbos.instance import CONNECTING, CONNECTIONS
from partywall.runtime.directory import CachedDirectory
from partywall.servers import Postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.runtime.workflows import Run

T = TypeVar("T")

KEY = "benchmark" * 4
TENANTS = [TenantContext(f"tenant-{number}") for number in range(8)]
CONCURRENCY, OF_A_TENANT, POLL_S = 128, 32, 0.1
MOST = 1.1
ENDED = "SELECT count(*) FROM dbos.workflow_status WHERE status = 'SUCCESS'"
PROCESSES = multiprocessing.get_context("spawn")


def add(context: TenantContext, number: int) -> int:
    """The step of a job."""
    del context
    return number + 1


def job(run: Run, number: int) -> object:
    """A job."""
    return run.step(add, number)


def tenancy(engine: DbosWorkflows) -> Tenancy:
    """An application with that job; its tenants' data are of no matter here."""
    made = Tenancy(
        f"sqlite:///{tempfile.gettempdir()}/unused.db",
        ScopedQueries(),
        directory=CachedDirectory(lambda _: "active"),
        workflows=engine,
    )
    made.workflows.step(add)
    made.workflows.workflow(job)
    return made


def ours(url: str, jobs: int) -> tuple[float, float]:
    """Seconds to start so many jobs, and to run them."""
    engine = DbosWorkflows(
        url, key=KEY, concurrency=CONCURRENCY, tenant_concurrency=OF_A_TENANT, poll_s=POLL_S
    )
    with tenancy(engine) as made:
        made.workflows.executions(TENANTS[0])  # which makes DBOS's tables
        begun = time.perf_counter()
        for number in range(jobs):
            made.workflows.start(TENANTS[number % len(TENANTS)], job, number)
        started = time.perf_counter()
        made.workflows.launch()
        until(url, jobs)
        return started - begun, time.perf_counter() - started


def bare(url: str, jobs: int) -> tuple[float, float]:
    """The same of DBOS without us."""
    return alone(url, jobs, configured(url))


def tuned(url: str, jobs: int) -> tuple[float, float]:
    """The same with the connections that we give it."""
    config = configured(url)
    config["sys_db_pool_size"] = CONNECTIONS
    config["db_engine_kwargs"] = CONNECTING
    return alone(url, jobs, config)


def configured(url: str) -> DBOSConfig:
    """DBOS as it comes."""
    return DBOSConfig(
        name="bare", system_database_url=url, log_level="WARNING", application_version="1"
    )


def alone(url: str, jobs: int, config: DBOSConfig) -> tuple[float, float]:
    """Seconds to start and to run them by DBOS itself, configured so."""
    logging.getLogger("dbos").addHandler(logging.NullHandler())
    DBOS.migrate(url)
    client = DBOSClient(
        system_database_url=url, application_name="bare", system_database_pool_size=10
    )
    # Before the launch, as ours: a queue that comes later is noticed a second after it.
    client.register_queue("jobs", worker_concurrency=CONCURRENCY, polling_interval_sec=POLL_S)
    begun = time.perf_counter()
    for number in range(jobs):
        client.enqueue(EnqueueOptions(workflow_name="job", queue_name="jobs"), number)
    started = time.perf_counter()
    DBOS(config=config)

    @DBOS.workflow(name="job")
    def run(number: int) -> int:
        return DBOS.run_step({"name": "add"}, lambda: number + 1)

    DBOS.launch()
    until(url, jobs)
    took = started - begun, time.perf_counter() - started
    DBOS.destroy(destroy_registry=True)
    client.destroy()
    return took


def until(url: str, jobs: int) -> None:
    """Wait until so many have ended."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        while connection.execute(ENDED).fetchall()[0][0] < jobs:
            time.sleep(0.02)


def waiting(url: str, many: int) -> tuple[list[float], list[float]]:
    """How long a tenant waits for one job with nothing else there, and behind *many* of another."""
    with tenancy(DbosWorkflows(url, key=KEY)) as made:
        flows = made.workflows
        flows.launch()
        one, other = TENANTS[:2]

        def waited() -> float:
            begun = time.perf_counter()
            flows.result(other, flows.start(other, job, 1).id)
            return time.perf_counter() - begun

        waited()  # the first one waits for the queue to be noticed
        alone = [waited() for _ in range(5)]
        flows.close()  # or they would be run as fast as they are started
        for number in range(many):
            flows.start(one, job, number)
        flows.launch()
        waited()
        behind = [waited() for _ in range(5)]
        if flows.executions(one, limit=1)[0].status != "running":
            sys.exit("nothing was left to wait behind: give --many more")
        return alone, behind


def apart(server: Postgres, measure: Callable[[str, int], tuple[T, T]], number: int) -> tuple[T, T]:
    """Measure in a process and a database of their own."""
    name = f"b{time.monotonic_ns()}"
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    with PROCESSES.Pool(1) as pool:
        return pool.apply(measure, (server.url(name), number))


MEASURED = {"DBOS": bare, "DBOS, our connections": tuned, "partywall": ours}


def main() -> int:
    """Measure and print; 1 where it takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in MEASURED}
    with postgres(servers("system")[0]) as server:
        for _ in range(asked.rounds):
            for name, measure in MEASURED.items():
                took[name].append(apart(server, measure, asked.jobs))
        before, behind = apart(server, waiting, asked.many)
    table = Table("", "started a second", "run a second", "time", "rounds")
    ratios = {}
    for name, measured in took.items():
        start_s, run_s = (statistics.median(each) for each in zip(*measured, strict=True))
        rounds = [its[1] / dbos[1] for its, dbos in zip(measured, took["DBOS"], strict=True)]
        ratios[name] = statistics.median(rounds)
        table.add_row(
            name,
            f"{asked.jobs / start_s:,.0f}",
            f"{asked.jobs / run_s:,.0f}",
            f"{ratios[name]:.2f}",
            f"{min(rounds):.2f}–{max(rounds):.2f}",
        )
    console = Console(width=100)
    console.print(table)
    console.print(f"one job with nothing else there: {statistics.median(before):.2f} s")
    console.print(
        f"one job behind {asked.many:,} of another tenant: {statistics.median(behind):.2f} s"
    )
    return 0 if ratios["partywall"] <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
