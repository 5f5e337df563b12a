"""Time `partywall audit` as a whole process, and how much memory it takes.

    python -m benchmarks.audit                # 50 and 1,000 tables, on a copy and on the target
    python -m benchmarks.audit --tables 50 --on copy --server embedded

Each run is the command as a user would start it, interpreter and imports included, against a
disposable server of its own with PostgreSQL's stock settings. Peak memory is that of the largest
process of the command's tree (wait4), pg_dump included; the server's is not in it. The time of
loading the schema is not in the time. Other work on the machine shows in `load`: compare processor
time then. The command must find the schema held, else this fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.schema import configuration, load
from partywall.servers import Binaries, Postgres, find_binaries, postgres

TARGETS = {50: 5.0, 1000: 60.0}
MEMORY_MB = 300
SETTLING_S = 2  # so that the session that loaded the schema is not counted
STOCK = {
    "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on",
    "jit": "on", "max_locks_per_transaction": "64",
}  # fmt: skip
RUNS = {
    "detect": ("--explain-model",),
    "copy": ("--on", "copy"),
    "target": ("--on", "target"),
}


@dataclass(frozen=True)
class Cost:
    """What one run of the command took.

    Attributes:
        cpu: seconds of processor time of the command and the programs that it started.
        served: seconds of processor time of the sessions that the server ran for it.
        load: processes that were waiting for a processor before, on average of a minute.
    """

    seconds: float
    cpu: float
    served: float
    megabytes: float
    load: float
    code: int


@dataclass(frozen=True)
class Run:
    """One kind of run, the fastest of its repetitions."""

    server: str
    tables: int
    what: str
    cost: Cost
    attempts: int
    verdict: str

    @property
    def within(self) -> bool:
        """Whether it was as fast and as small as it must be."""
        quick = self.cost.seconds < TARGETS.get(self.tables, 1e9)
        return quick and self.cost.megabytes < MEMORY_MB


def measured(command: list[str], folder: Path, server: Postgres) -> Cost:
    """Run *command* and say what it took."""
    load, served, began = os.getloadavg()[0], ended_sessions(server), time.perf_counter()
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    kilobytes = used.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return Cost(
        seconds,
        used.ru_utime + used.ru_stime,
        ended_sessions(server) - served,
        kilobytes / 1024,
        load,
        process.returncode,
    )


def ended_sessions(server: Postgres) -> float:
    """Seconds of processor time of all sessions of *server* that have ended; Linux only."""
    pid = (server.data / "postmaster.pid").read_text().split()[0]
    try:
        fields = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return float("nan")
    return sum(map(int, fields[13:15])) / os.sysconf("SC_CLK_TCK")


def run(server: Postgres, tables: int, what: str, repeat: int) -> Run:
    """Measure one kind of run on a loaded schema."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "partywall.toml").write_text(configuration(server))
        command = [sys.executable, "-m", "partywall", "audit", *RUNS[what], "--format", "json"]
        command += ["--config", str(folder / "partywall.toml"), "--output", str(folder / "report")]
        costs = [measured(command, folder, server) for _ in range(repeat)]
        if any(cost.code for cost in costs):
            codes = [cost.code for cost in costs]
            sys.exit(
                f"{tables} tables, {what}: exit codes {codes}\n{(folder / 'said').read_text()}"
            )
        report = json.loads((folder / "report").read_text())
    version = ".".join(map(str, server.version))
    fastest = min(costs, key=lambda cost: cost.seconds)
    return Run(
        version, tables, what, fastest, report.get("attempts", 0), report.get("verdict", "—")
    )


def servers(wanted: str) -> list[Binaries]:
    """The newest of the system's servers, the wheel's, or both."""
    found = {b.source == "embedded": b for b in find_binaries()}
    return [
        found[e] for e in (False, True) if e in found and wanted != ("system", "embedded")[not e]
    ]


def main() -> int:
    """Measure and print a table; 1 when a run took longer or more than it may."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--tables", type=int, nargs="*", default=[50, 1000])
    parser.add_argument("--on", choices=list(RUNS), nargs="*", default=list(RUNS))
    parser.add_argument("--server", choices=["system", "embedded", "both"], default="both")
    parser.add_argument("--repeat", type=int, default=1, help="take the best time of so many")
    asked = parser.parse_args()
    runs: list[Run] = []
    for binaries in servers(asked.server):
        for tables in asked.tables:
            with postgres(binaries, STOCK) as server:
                load(server, tables)
                time.sleep(SETTLING_S)
                for what in asked.on:
                    runs.append(run(server, tables, what, asked.repeat))
                    print(runs[-1], file=sys.stderr)
    table = Table(
        "PostgreSQL", "tables", "run", "attempts", "verdict", "seconds", "CPU s", "server CPU s",
        "MB", "load", "within",
    )  # fmt: skip
    for one in runs:
        cost = one.cost
        numbers = (cost.seconds, cost.cpu, cost.served)
        table.add_row(
            one.server, f"{one.tables:,}", one.what, f"{one.attempts:,}", one.verdict,
            *(f"{number:.1f}" for number in numbers), f"{cost.megabytes:.0f}", f"{cost.load:.1f}",
            "yes" if one.within else "no",
        )  # fmt: skip
    Console(width=120).print(table)
    return 0 if all(one.within for one in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
