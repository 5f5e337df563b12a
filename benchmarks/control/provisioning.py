"""Provisioning: what it takes to make a tenant's schema with its tables, and to survey its walls.

Every contender makes the same tables on the same server, in turns, one tenant at a time, in a
process of its own. The first tenant of each is not counted: there everybody compiles, imports and
connects. fastapi-tenancy and django-tenants make schema and tables, without rights for a login of
the application's own; so do the rows of partywall, with those rights; what also surveys the walls
says so.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self
from uuid import uuid4

import psycopg

from benchmarks.runtime.environment import interpreter
from benchmarks.runtime.scene import STOCK, pin
from partywall.servers import Binaries, Postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CLONE = Path(__file__).resolve().parents[2]
DATABASE, LOGIN = "bench", "bench_app"
SERVER_CORE = 1


@dataclass(frozen=True)
class Contender:
    """A contender: its module in `contenders`, what it is made with, and whose Python it takes."""

    title: str
    module: str
    options: Mapping[str, object]
    python: str = sys.executable


@dataclass(frozen=True)
class Provisioned:
    """What one contender took for one tenant.

    Attributes:
        tables: in each tenant's schema.
        tenant_ms: milliseconds, the median.
        lower: the first quartile.
        upper: the third.
    """

    contender: str
    tables: int
    tenant_ms: float
    lower: float
    upper: float


class Worker:
    """A contender's process."""

    def __init__(self, contender: Contender) -> None:
        command = [contender.python, "-m", "benchmarks.control.provisioner", contender.module]
        self.title = contender.title
        self._process = subprocess.Popen(
            [*command, json.dumps(dict(contender.options))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CLONE,
            env={**os.environ, "PYTHONPATH": f"{CLONE / 'src'}{os.pathsep}{CLONE}"},
        )

    def provision(self) -> float:
        """Have a tenant made; the seconds it took."""
        assert self._process.stdin is not None  # noqa: S101 - asked for above
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        self._process.stdin.write(f"{uuid4()}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            sys.exit(f"{self.title} ended before it had provisioned a tenant")
        return float(answer)

    def __enter__(self) -> Self:
        """The running process."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def provisioning(binaries: Binaries, rounds: int, tables: tuple[int, ...]) -> list[Provisioned]:
    """Every contender, for each number of tables."""
    found = []
    for number in tables:
        with scene(binaries) as server, ExitStack() as stack:
            pin(server, core=SERVER_CORE)
            workers = [stack.enter_context(Worker(one)) for one in contenders(server, number)]
            taken: list[list[float]] = [[] for _ in workers]
            for worker in workers:
                worker.provision()
            for turn in range(rounds):
                order = range(len(workers))
                for place in reversed(order) if turn % 2 else order:
                    taken[place].append(workers[place].provision() * 1e3)
        found += [summary(w.title, number, took) for w, took in zip(workers, taken, strict=True)]
    return found


def contenders(server: Postgres, tables: int) -> list[Contender]:
    """Who takes part."""
    peers = interpreter()
    owner = {"owner_url": server.url(DATABASE), "tables": tables}
    ours = {"url": server.url(DATABASE, LOGIN), **owner}
    made = "with_partywall"
    return [
        Contender("fastapi-tenancy", "with_fastapi_tenancy", owner, peers),
        Contender("django-tenants", "with_django_tenants", {**owner, "cloned": False}, peers),
        Contender(
            "django-tenants, cloned", "with_django_tenants", {**owner, "cloned": True}, peers
        ),
        Contender("partywall", made, {**ours, "upto": "plain"}),
        Contender("partywall, surveyed", made, {**ours, "upto": "surveyed"}),
        Contender("partywall, ahead", made, {**ours, "upto": "plain", "ahead": 1}),
        Contender("partywall, ahead, surveyed", made, {**ours, "upto": "surveyed", "ahead": 1}),
    ]


@contextmanager
def scene(binaries: Binaries) -> Iterator[Postgres]:
    """A server with an empty database and the application's login."""
    with postgres(binaries, STOCK) as server:
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {DATABASE}".encode())
            admin.execute(f"CREATE ROLE {LOGIN} LOGIN".encode())
        yield server


def summary(title: str, tables: int, took: list[float]) -> Provisioned:
    """The median of a contender's tenants, and the quartiles."""
    lower, middle, upper = statistics.quantiles(took, n=4, method="inclusive")
    return Provisioned(title, tables, middle, lower, upper)
