"""Processes that work, and kill themselves at a chosen point: begun by `test_crashes`.

Points are said in words: `before start`, `after start`, `after commit` of what begins a work;
`before do create`, `after do create` of an act; `inside create` of a step.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from temporalio.client import Client

from partywall.adapters.dbos.works import ALIVE, DbosWorks, left
from partywall.adapters.temporal import TemporalWorks
from partywall.adapters.temporal import works as temporal
from partywall.control import tables
from partywall.control.plane import ControlPlane
from partywall.control.registration import NewUser
from partywall.errors import WorkError
from tests.control.sites import Site

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Barrier

    from partywall.control.database import Database
    from partywall.control.provisioning.saga import Acting, Kind, Works

PATIENCE_S = 40.0


@dataclass(frozen=True, slots=True)
class Case:
    """What a process does, and where it dies.

    Attributes:
        slug: of its tenant.
        action: register, remove.
        point: where it dies; "" never does.
        engine: dbos, or the address of a Temporal server.
        url: the control plane's database, which is the site's as well.
        broken: the half of a step that always fails, "" none.
        tenant_id: whom to remove.
    """

    slug: str
    action: str
    point: str
    engine: str
    url: str
    broken: str = ""
    tenant_id: str = ""

    @property
    def owner(self) -> str:
        """The address of the tenant's owner."""
        return f"ann@{self.slug}.example.com"

    @property
    def queue(self) -> str:
        """On Temporal each has a queue of its own, so that no case takes the work of another."""
        return f"{self.url} {self.slug}"


class Dying:
    """Kills the process when its point is reached."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def reached(self, point: str) -> None:
        if point == self._case.point:
            os.kill(os.getpid(), signal.SIGKILL)

    def inside(self, step: str) -> None:
        self.reached(f"inside {step}")
        if step == self._case.broken:
            raise WorkError("this site does not hold")


class DyingSaga:
    """A saga that dies before or after one of its acts."""

    def __init__(self, saga: Acting, dying: Dying) -> None:
        self._saga, self._dying = saga, dying

    @property
    def database(self) -> Database:
        return self._saga.database

    def act(self, work_id: str, kind: Kind, step: str) -> list[str]:
        words = " ".join(filter(None, (kind, step)))
        self._dying.reached(f"before {words}")
        answer = self._saga.act(work_id, kind, step)
        self._dying.reached(f"after {words}")
        return answer

    def unfinished(self, engine: str) -> list[tuple[str, dt.datetime | None]]:
        return self._saga.unfinished(engine)


class DyingWorks:
    """A workflow engine that dies before or after it starts something."""

    def __init__(self, works: Works, dying: Dying) -> None:
        self.name = works.name
        self._works, self._dying = works, dying

    def start(self, work_id: str, *, not_before: dt.datetime | None = None) -> None:
        self._dying.reached("before start")
        self._works.start(work_id, not_before=not_before)
        self._dying.reached("after start")

    def launch(self, saga: Acting) -> None:
        self._works.launch(DyingSaga(saga, self._dying))

    def close(self) -> None:
        self._works.close()


def engine(case: Case) -> Works:
    """The workflow engine of a case."""
    if case.engine == "dbos":
        return DbosWorks(heartbeat_s=0.3 if not case.point else 60.0)
    temporal.TASK_TIMEOUT = dt.timedelta(seconds=1)  # how long the dead are waited for
    return TemporalWorks(case.engine, queue=case.queue, heartbeat_s=1.0)


def plane(case: Case) -> ControlPlane:
    """A control plane that dies where the case says."""
    dying = Dying(case)
    works = DyingWorks(engine(case), dying)
    return ControlPlane(case.url, building=Site(case.url, dying.inside), works=works)


def begin(case: Case, together: Barrier) -> None:
    """Do what the case says, and wait for the end: of the work, or of this process."""
    warnings.simplefilter("error")
    running = plane(case)
    running.launch()
    together.wait(PATIENCE_S)  # nobody dies before all have looked for what others left
    if case.action == "register":
        running.register(slug=case.slug, name=case.slug, owner=NewUser(case.owner))
    else:
        running.remove(case.tenant_id, grace=dt.timedelta())
    Dying(case).reached("after commit")
    waited(lambda: ended(running))


def finish(cases: list[Case]) -> None:
    """Take up what was left, and wait until nothing is; this process is killed too, at the end."""
    warnings.simplefilter("error")
    # DBOS is one for all cases, and Temporal's queues are served each by itself.
    planes = [plane(case) for case in (cases[:1] if cases[0].engine == "dbos" else cases)]
    for running in planes:
        running.launch()
    waited(lambda: all(map(ended, planes)) and not running_workflows(cases))
    os.kill(os.getpid(), signal.SIGKILL)


def running_workflows(cases: list[Case]) -> bool:
    """Whether the engine still has something to do."""
    if cases[0].engine == "dbos":
        return any(left(status) for status in ALIVE)
    return asyncio.run(running_on_temporal(cases))


async def running_on_temporal(cases: list[Case]) -> bool:
    client = await Client.connect(cases[0].engine)
    queues = ", ".join(f"'{case.queue}'" for case in cases)
    query = f"TaskQueue IN ({queues}) AND ExecutionStatus = 'Running'"
    return bool([found.id async for found in client.list_workflows(query)])


def ended(running: ControlPlane) -> bool:
    """Whether no work is left to do."""
    with running.database.reading() as connection:
        query = select(tables.works.c.id).where(tables.works.c.state == "begun")
        return connection.execute(query).first() is None


def waited(condition: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the work has not ended")
        time.sleep(0.05)
