"""Processes that register the same slug at the same moment."""

from __future__ import annotations

import multiprocessing
import sqlite3
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import make_url

from partywall.adapters.dbos import DbosWorks
from partywall.control.plane import ControlPlane
from partywall.control.registration import NewUser
from partywall.errors import PartywallError
from tests.control.crashing import ended, waited
from tests.control.sites import Site

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.control.crashing", "tests.control.racing"])

THREADS = 25


def raced(url: str, slug: str, *, processes: int) -> list[str]:
    """How all their registrations ended."""
    barrier = PROCESSES.Barrier(processes)
    receiving, sending = PROCESSES.Pipe(duplex=False)
    racers = [
        PROCESSES.Process(target=race, args=(url, slug, barrier, sending)) for _ in range(processes)
    ]
    with receiving, sending:
        for racer in racers:
            racer.start()
        outcomes = [receiving.recv() if receiving.poll(60) else ["nothing"] for _ in racers]
    for racer in racers:
        racer.join()
    return sorted(outcome for each in outcomes for outcome in each)


def race(url: str, slug: str, barrier: Barrier, sending: Connection) -> None:
    """Register, from many threads at once, as soon as all processes are ready."""
    warnings.simplefilter("error")
    with ControlPlane(url, building=Site(url), works=DbosWorks()) as plane:
        plane.launch()
        barrier.wait(30)

        def registering(number: int) -> str:
            owner = NewUser(f"user-{barrier.parties}-{number}-{id(plane)}@example.com")
            try:
                plane.register(slug=slug, name="Acme", owner=owner)
            except PartywallError as error:
                return type(error).__name__
            return "registered"

        with ThreadPoolExecutor(THREADS) as threads:
            outcomes = list(threads.map(registering, range(THREADS)))
        waited(lambda: ended(plane))
        sending.send(outcomes)


def workflows(url: str) -> int:
    """How many workflows DBOS has ever begun."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(f"{address.database}.works")) as file:
            (count,) = file.execute("SELECT count(*) FROM workflow_status").fetchone()
            return int(count)
    with psycopg.connect(url) as connection:
        row = connection.execute(b"SELECT count(*) FROM dbos.workflow_status").fetchone()
        assert row is not None
        return int(row[0])
