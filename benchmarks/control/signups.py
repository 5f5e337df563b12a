"""Sign-ups: how many a second are answered, and how many tenants a second can be let in.

One process, as an application is one: threads that register, and DBOS, which provisions meanwhile.
Each sign-up is a user, a tenant, a membership, an entry of the audit log and a durable workflow;
each provisioning ends with the smoke survey of the new tenant's walls.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from tempfile import TemporaryDirectory

import psycopg
from sqlalchemy import func, select

from benchmarks.control.contenders.linked import linked
from benchmarks.runtime.scene import STOCK, pin
from partywall import SchemaPerTenant
from partywall.adapters.dbos import DbosWorks
from partywall.control import tables
from partywall.control.migrations import migrate
from partywall.control.plane import ControlPlane
from partywall.control.provisioning.building import Building
from partywall.control.registration import NewUser
from partywall.servers import Binaries, Postgres, postgres

APPLICATION, CONTROL, LOGIN = "bench", "bench_house", "bench_app"
SERVER_CORE, CLIENT_CORE = 1, 0
TABLES = 20
CLIENTS = 4
PASSWORD = "correct horse battery staple"  # noqa: S105 - of nobody
LONGEST_S = 300.0
STATUS = tables.tenants.c.status


@dataclass(frozen=True)
class SignUps:
    """What one house took for its sign-ups.

    Attributes:
        of: where the house is, and whether it hashes a password for each.
        answered_per_s: sign-ups a second.
        answer_ms: milliseconds until one is answered, the median.
        let_in_per_s: tenants a second, from the first sign-up to the last tenant's activation.
    """

    of: str
    answered_per_s: float
    answer_ms: float
    let_in_per_s: float


def signups(binaries: Binaries, number: int) -> list[SignUps]:
    """So many sign-ups in each house."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {CLIENT_CORE})
    found = []
    for kind, password in product(("postgresql", "sqlite"), (None, PASSWORD)):
        with TemporaryDirectory() as folder, postgres(binaries, STOCK) as server:
            pin(server, core=SERVER_CORE)
            prepare(server)
            url = server.url(CONTROL) if kind == "postgresql" else f"sqlite:///{folder}/house.db"
            with house(server, url) as plane:
                title = f"{kind}, {'a password' if password else 'own authentication'}"
                found.append(measured(plane, title, number, password))
    return found


def prepare(server: Postgres) -> None:
    """The databases, and the application's login."""
    with psycopg.connect(server.url(), autocommit=True) as admin:
        for name in (APPLICATION, CONTROL):
            admin.execute(f"CREATE DATABASE {name}".encode())
        admin.execute(f"CREATE ROLE {LOGIN} LOGIN".encode())


def house(server: Postgres, url: str) -> ControlPlane:
    """A house that works: a schema for each tenant."""
    building = Building(
        SchemaPerTenant(),
        url=server.url(APPLICATION, LOGIN),
        owner_url=server.url(APPLICATION),
        schema=linked(TABLES),
    )
    plane = ControlPlane(url, building=building, works=DbosWorks())
    migrate(plane.database)
    plane.launch()
    return plane


def measured(plane: ControlPlane, title: str, number: int, password: str | None) -> SignUps:
    """Sign up so many, by several clients at once, and wait for the last tenant."""

    def sign_up(which: int) -> float:
        begun = time.perf_counter()
        owner = NewUser(f"{which}@bench.example", password)
        plane.register(slug=f"bench-{which}-house", name="Bench", owner=owner)
        return time.perf_counter() - begun

    sign_up(number)  # everybody connects and compiles
    until_active(plane, 1)
    begun = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        took = list(clients.map(sign_up, range(number)))
    answered_s = time.perf_counter() - begun
    until_active(plane, number + 1)
    let_in_s = time.perf_counter() - begun
    answer_ms = statistics.median(took) * 1e3
    return SignUps(title, number / answered_s, answer_ms, number / let_in_s)


def until_active(plane: ControlPlane, number: int) -> None:
    """Wait for so many tenants that are let in."""
    active = select(func.count()).select_from(tables.tenants).where(STATUS == "active")
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        with plane.database.reading() as connection:
            if connection.execute(active).scalar_one() == number:
                return
        time.sleep(0.05)
    sys.exit("the tenants were not provisioned")
