"""Tasks of tenants beside bare Celery and bare procrastinate: throughput, and who waits for whom.

    python -m benchmarks.tasks                       # both, three rounds
    python -m benchmarks.tasks --engine celery --executions 500 --rounds 1

One worker with two processes (Celery) or two threads (procrastinate), tasks that do nothing, one
disposable Redis or PostgreSQL, all on one machine. *Started* is how many a second one process
starts, *done* how many end a second from the first to the last. *Behind* is how long B's one takes
that was started after all of A's, from the first end on. The figures are medians; rounds of bare
and of tenants' tasks take turns.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from redis import Redis
from rich.console import Console
from rich.table import Table

from partywall.servers import postgres, redis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
LONGEST_S = 600.0
LIMITS = (2, 8, 1000)
"""Of one tenant at once: as many as the worker takes, the default, and none that counts."""

CELERY = """
import os
from celery import Celery
from partywall.adapters.celery import Envelopes, Limits, TenantTasks
app = Celery("measured", broker=os.environ["MEASURED"], backend=os.environ["MEASURED"])
app.conf.task_ignore_result = os.environ.get("MEASURED_RESULTS") is None
tasks = TenantTasks(app, Envelopes(b"k" * 32), limits=Limits(int(os.environ["MEASURED_LIMIT"])))
from redis import Redis
server = Redis.from_url(os.environ["MEASURED"])
@app.task
def bare(number):
    server.rpush("done", "bare")
@tasks.task
def tenants(context, number):
    server.rpush("done", context.tenant_id)
"""

PROCRASTINATE = """
import os
import psycopg
from procrastinate import App, PsycopgConnector
from partywall.adapters.procrastinate import Envelopes, Limits, TenantTasks
plain = App(connector=PsycopgConnector(conninfo=os.environ["MEASURED"]))
app = App(connector=PsycopgConnector(conninfo=os.environ["MEASURED"]))
tasks = TenantTasks(app, Envelopes(b"k" * 32), limits=Limits(int(os.environ["MEASURED_LIMIT"])))
@plain.task
def bare(number):
    pass
@tasks.task
def tenants(context, number):
    pass
"""


@contextlib.contextmanager
def worker(folder: Path, arguments: list[str], environment: dict[str, str]) -> Iterator[None]:
    """A worker in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**os.environ, **environment, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{folder}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield
        finally:
            process.terminate()


def until(condition: Callable[[], bool]) -> float:
    """When a condition held first."""
    end = time.monotonic() + LONGEST_S
    while not condition():
        if time.monotonic() > end:
            sys.exit("the executions never ended")
        time.sleep(0.005)
    return time.monotonic()


def of_celery(executions: int, limit: int, *, bare: bool) -> tuple[float, float, float]:
    """One round on Celery."""
    with redis() as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "measured_celery.py").write_text(CELERY)
        environment = {"MEASURED": server.url(), "MEASURED_LIMIT": str(limit)}
        script = (
            "import sys, measured_celery as m, time\n"
            "from partywall.context import TenantContext\n"
            "n = int(sys.argv[1]); bare = sys.argv[2] == 'bare'\n"
            "def start(tenant):\n"
            "    if bare: m.bare.delay(1)\n"
            "    else: m.tasks.start(TenantContext(tenant), m.tenants, 1)\n"
            "t = time.monotonic()\n"
            "for _ in range(n): start('a')\n"
            "print(n / (time.monotonic() - t)); start('b')\n"
        )
        started = float(sender(folder, script, executions, environment, bare=bare))
        with Redis.from_url(server.url(), decode_responses=True) as client:

            def done() -> list[str]:
                return [str(name) for name in client.lrange("done", 0, -1)]

            arguments = ["celery", "-A", "measured_celery", "worker", "-c", "2", "-l", "ERROR"]
            arguments += ["--without-gossip", "--without-mingle"]
            with worker(folder, arguments, environment):
                return started, *watched(done, executions, bare=bare)


def of_procrastinate(executions: int, limit: int, *, bare: bool) -> tuple[float, float, float]:
    """One round on procrastinate."""
    with postgres() as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "measured_procrastinate.py").write_text(PROCRASTINATE)
        environment = {"MEASURED": server.url(), "MEASURED_LIMIT": str(limit)}
        script = (
            "import sys, measured_procrastinate as m, time\n"
            "from partywall.context import TenantContext\n"
            "n = int(sys.argv[1]); bare = sys.argv[2] == 'bare'\n"
            "def start(tenant):\n"
            "    if bare: m.bare.defer(number=1)\n"
            "    else: m.tasks.start(TenantContext(tenant), m.tenants, number=1)\n"
            "with m.plain.open(), m.app.open():\n"
            "    m.app.schema_manager.apply_schema()\n"
            "    if not bare: m.tasks.apply_schema()\n"
            "    start('a')\n"
            "    t = time.monotonic()\n"
            "    for _ in range(n - 1): start('a')\n"
            "    print(n / (time.monotonic() - t)); start('b')\n"
        )
        started = float(sender(folder, script, executions, environment, bare=bare))
        which = "measured_procrastinate.plain" if bare else "measured_procrastinate.app"
        tenant = "'bare'" if bare else "args #>> '{partywall,tenant}'"
        query = f"SELECT {tenant} FROM procrastinate_jobs WHERE status = 'succeeded'"
        with psycopg.connect(server.url(), autocommit=True) as connection:

            def done() -> list[str]:
                return [row[0] for row in connection.execute(query.encode())]

            with worker(folder, ["procrastinate", "-a", which, "worker", "-c", "2"], environment):
                return started, *watched(done, executions, bare=bare)


def sender(
    folder: Path, script: str, executions: int, environment: dict[str, str], *, bare: bool
) -> str:
    """What the process says that starts all executions."""
    return subprocess.run(
        [sys.executable, "-c", script, str(executions), "bare" if bare else "tenants"],
        cwd=folder,
        env={**os.environ, **environment, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{folder}"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def watched(done: Callable[[], list[str]], executions: int, *, bare: bool) -> tuple[float, float]:
    """How many were done a second, and how long B's one took, from the first that was done."""
    first = until(lambda: bool(done()))
    alone = 0.0 if bare else until(lambda: "b" in done()) - first
    end = until(lambda: len(done()) == executions + 1)
    return executions / (end - first), end - first if bare else alone


def main() -> None:
    """Print a table for each engine."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--engine", choices=["celery", "procrastinate"])
    parser.add_argument("--executions", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    engines = {"celery": of_celery, "procrastinate": of_procrastinate}
    for name, once in engines.items():
        if given.engine not in {None, name}:
            continue
        ways = [("bare", 0, True), *((f"at_once={n}", n, False) for n in LIMITS)]
        rounds: dict[str, list[tuple[float, float, float]]] = {way: [] for way, _, _ in ways}
        for _ in range(given.rounds):
            for way, limit, bare in ways:
                rounds[way].append(once(given.executions, limit or 1, bare=bare))
        table = Table(
            "", "started/s", "done/s", "B behind", title=f"{name}: {given.executions} of A"
        )
        for way, figures in rounds.items():
            started, done, behind = (
                statistics.median(column) for column in zip(*figures, strict=True)
            )
            table.add_row(way, f"{started:,.0f}", f"{done:,.0f}", f"{behind * 1000:,.0f} ms")
        Console().print(table)


if __name__ == "__main__":
    main()
