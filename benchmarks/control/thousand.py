"""A thousand tenants, one after the other: whether the last ones take longer than the first.

Each goes through registration and saga, with an engine that takes the acts at once in this very
process, so that nothing waits and nothing else is measured.
"""

from __future__ import annotations

import os
import resource
import time
from contextlib import closing
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.control.contenders.linked import linked
from benchmarks.control.signups import (
    APPLICATION,
    CLIENT_CORE,
    CONTROL,
    LOGIN,
    SERVER_CORE,
    prepare,
)
from benchmarks.runtime.scene import STOCK, pin
from partywall import FilePerTenant, SchemaPerTenant
from partywall.control.migrations import migrate
from partywall.control.plane import ControlPlane
from partywall.control.provisioning.building import Building
from partywall.control.provisioning.saga import course
from partywall.control.registration import NewUser
from partywall.servers import Binaries, postgres

if TYPE_CHECKING:
    import datetime as dt

    from partywall.control.provisioning.saga import Acting

TABLES = 10
STOCK_OF = 50
PARTS = 5


@dataclass(frozen=True)
class Thousand:
    """What so many tenants took.

    Attributes:
        of: what each gets.
        tenants: how many there were.
        first_ms: milliseconds for each of the first fifth.
        last_ms: for each of the last fifth.
        first_mb: the most memory that the process had by the end of the first fifth, in MB.
        last_mb: by the end.
    """

    of: str
    tenants: int
    first_ms: float
    last_ms: float
    first_mb: float
    last_mb: float


class AtOnce:
    """An engine that is durable for as long as nobody dies."""

    name = "at once"

    def __init__(self) -> None:
        self._saga: Acting | None = None

    def launch(self, saga: Acting) -> None:
        """Remember it."""
        self._saga = saga

    def start(self, work_id: str, *, not_before: dt.datetime | None = None) -> None:
        """Nothing yet: the registration has not been committed."""

    def run(self, work_id: str) -> None:
        """Take all acts of a work."""
        assert self._saga is not None  # noqa: S101 - launched
        conversation = course()
        act = next(conversation)
        while True:
            try:
                act = conversation.send(self._saga.act(work_id, act.kind, act.step))
            except StopIteration:
                return

    def close(self) -> None:
        """Nothing is left."""


def thousand(binaries: Binaries, number: int) -> list[Thousand]:
    """So many with schemas, with schemas made ahead, and with files."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {CLIENT_CORE})
    found = []
    for ahead in (0, STOCK_OF):
        with postgres(binaries, STOCK) as server:
            pin(server, core=SERVER_CORE)
            prepare(server)
            url, owner_url = server.url(APPLICATION, LOGIN), server.url(APPLICATION)
            schemas = SchemaPerTenant()
            building = Building(
                schemas, url=url, owner_url=owner_url, schema=linked(TABLES), ahead=ahead
            )
            title = "schemas, made ahead" if ahead else "schemas"
            found.append(measured(title, number, server.url(CONTROL), building))
    with TemporaryDirectory() as folder:
        files = FilePerTenant(folder=f"{folder}/tenants")
        building = Building(files, url="sqlite://", schema=linked(TABLES))
        found.append(measured("files", number, f"sqlite:///{folder}/house.db", building))
    return found


def measured(title: str, number: int, url: str, building: Building) -> Thousand:
    """Make so many tenants."""
    works = AtOnce()
    part = max(1, number // PARTS)
    took: list[float] = []
    most: list[float] = []
    with closing(building), ControlPlane(url, building=building, works=works) as plane:
        migrate(plane.database)
        building.replenish()
        plane.launch()
        for each in range(number):
            begun = time.perf_counter()
            owner = NewUser(f"{each}@bench.example")
            made = plane.register(slug=f"bench-{each}-house", name="Bench", owner=owner)
            works.run(made.work_id)
            took.append(time.perf_counter() - begun)
            if (each + 1) % part == 0:
                most.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        active = plane.access.tenant_by_slug(f"bench-{number - 1}-house")
        assert active is not None  # noqa: S101 - a benchmark of nothing
        assert active.status == "active"  # noqa: S101 - as above
    first, last = (sum(each) / part * 1e3 for each in (took[:part], took[-part:]))
    return Thousand(title, number, first, last, most[0], most[-1])
