"""What finding tenant and membership adds to a request, over HTTP, with and without in turns."""

from __future__ import annotations

import http.client
import os
import random
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from benchmarks.control.application import PATHS
from benchmarks.runtime.pairing import CLONE
from benchmarks.runtime.scene import STOCK
from partywall.control.database import Database, new_id, now
from partywall.control.migrations import migrate
from partywall.control.tables import memberships, tenants, users
from partywall.servers import Binaries, postgres
from partywall.servers.launch import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SERVER_CORE, CLIENT_CORE = 1, 0
BLOCK = 200
"""Requests of one kind before those of the next kind."""

BLOCKS = 5
TENANTS = 200
START_S = 30.0


@dataclass(frozen=True)
class Added:
    """One way of answering, against the answer alone.

    Attributes:
        request_us: microseconds a request, the median of the rounds' medians.
        added_us: the median of what each round's median has above that of the answer alone.
        lower_us: the first quartile of these differences.
        upper_us: the third.
    """

    of: str
    request_us: float
    added_us: float
    lower_us: float
    upper_us: float


@dataclass(frozen=True)
class Guest:
    """A user in a tenant, and the headers of their requests."""

    tenant_id: str
    user_id: str
    slug: str


def resolve(binaries: Binaries, rounds: int) -> list[Added]:
    """Measure over *rounds* connections of their own."""
    with postgres(binaries, STOCK) as server:
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute("CREATE DATABASE bench")
        url = server.url("bench")
        guests = furnish(url)
        with serving(url) as port:
            medians = [measured(port, guests, backwards=bool(n % 2)) for n in range(rounds)]
    return [added(path, medians) for path in PATHS]


def furnish(url: str) -> list[Guest]:
    """Tenants, each with a user, through the tables."""
    database = Database(url)
    migrate(database)
    guests = [Guest(new_id(), new_id(), f"tenant-{number}") for number in range(TENANTS)]
    with database.begin() as connection:
        connection.execute(
            tenants.insert(),
            [
                {
                    "id": each.tenant_id, "slug": each.slug, "skeleton": each.slug,
                    "name": each.slug, "status": "active", "settings": {},
                    "created_at": now(), "changed_at": now(),
                }
                for each in guests
            ],
        )  # fmt: skip
        connection.execute(
            users.insert(),
            [
                {"id": each.user_id, "email": each.slug, "email_key": each.slug,
                 "created_at": now()}
                for each in guests
            ],
        )  # fmt: skip
        connection.execute(
            memberships.insert(),
            [
                {"tenant_id": each.tenant_id, "user_id": each.user_id, "role": "member",
                 "version": 1, "created_at": now()}
                for each in guests
            ],
        )  # fmt: skip
    database.close()
    return guests


@contextmanager
def serving(url: str) -> Iterator[int]:
    """The application in a process, on a core of its own; its port."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.control.application", url, str(port)]
    environment = {**os.environ, "PYTHONPATH": str(CLONE / "src")}
    process = subprocess.Popen(command, cwd=CLONE, env=environment)
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > SERVER_CORE:
        os.sched_setaffinity(process.pid, {SERVER_CORE})
        os.sched_setaffinity(0, {CLIENT_CORE})
    try:
        end = time.monotonic() + START_S
        while not answers(port):
            if process.poll() is not None or time.monotonic() > end:
                sys.exit("the application did not start")
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    """Whether somebody listens."""
    try:
        http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
    except OSError:
        return False
    return True


def measured(port: int, guests: Sequence[Guest], *, backwards: bool) -> dict[str, float]:
    """The median request of each kind, in microseconds, on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = [told(connection, guest) for guest in guests]
    for path in PATHS:
        for each in headers:
            spent(connection, path, each)  # and now it is in memory
    times: dict[str, list[float]] = {path: [] for path in PATHS}
    for _ in range(BLOCKS):
        for path in reversed(PATHS) if backwards else PATHS:
            chosen = random.choices(headers, k=BLOCK)  # noqa: S311 - no secret
            times[path] += [spent(connection, path, each) for each in chosen]
    connection.close()
    return {path: statistics.median(taken) * 1e6 for path, taken in times.items()}


def told(connection: http.client.HTTPConnection, guest: Guest) -> dict[str, str]:
    """The headers of a guest's requests; the same for every kind."""
    connection.request("GET", f"/token?tenant_id={guest.tenant_id}&user_id={guest.user_id}")
    token = connection.getresponse().read().decode().strip('"')
    return {
        "X-Tenant": guest.slug,
        "X-User": guest.user_id,
        "Authorization": f"Bearer {token}",
    }


def spent(connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str]) -> float:
    """The seconds of one request."""
    begun = time.perf_counter()
    connection.request("GET", path, headers=dict(headers))
    response = connection.getresponse()
    body = response.read()
    taken = time.perf_counter() - begun
    if response.status != http.HTTPStatus.OK or headers["X-User"].encode() not in body:
        sys.exit(f"{path} answered {response.status}")
    return taken


def added(path: str, medians: Sequence[Mapping[str, float]]) -> Added:
    """The median and the quartiles of the rounds."""
    more = [each[path] - each[PATHS[0]] for each in medians]
    lower, middle, upper = statistics.quantiles(more, n=4, method="inclusive")
    request = statistics.median(each[path] for each in medians)
    return Added(path.removeprefix("/"), request, middle, lower, upper)
