"""Processes that work on real places, and are killed or paused between two messages of a step."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg

from partywall.control.plane import ControlPlane
from partywall.control.provisioning.acting import Saga
from tests.control.crashes import CHANGES
from tests.control.house import Held
from tests.control.lodgings import own_tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import ForkServerProcess

    from sqlalchemy import Connection

    from partywall.control.provisioning.building import Building
    from partywall.control.provisioning.saga import Step
    from partywall.control.tenants import Tenant

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.control.crashing", "tests.control.interrupting"])

FILES = {"os.link", "os.remove", "os.mkdir"}
"""What Python says to those who listen, before it changes a folder."""


def no_canary(connection: Connection) -> str:
    """Makes the smoke survey fail, and with it the provisioning."""
    del connection
    raise AssertionError


def own(remake: Callable[..., Building], **options: Any) -> Building:  # noqa: ANN401 - Building's
    """A building whose tables did not come from another process: no enum survives that."""
    return remake(schema=own_tables(), **options)


def begun(
    url: str, remake: Callable[..., Building], work_id: str, at: int | str, sent: signal.Signals
) -> ForkServerProcess:
    """A process that works, and sends itself a signal at one point.

    That is the change of a number, from 1, or before the half of a step: `undo create`. One that
    comes to the end says how many changes there were: it is its exit code.
    """
    process = PROCESSES.Process(target=work, args=(url, remake, work_id, at, sent))
    process.start()
    return process


def work(
    url: str, remake: Callable[..., Building], work_id: str, at: int | str, sent: signal.Signals
) -> None:
    """Take the acts of a work until it comes to that."""
    warnings.simplefilter("error")
    building = remake()
    works = Held()
    with ControlPlane(url, building=building, works=works) as plane:
        works.launch(Saga(plane.database, building, pauses_s=()))
        with plane.database.reading():
            pass  # connected, outside of the count
        if isinstance(at, str):
            half, _, name = at.partition(" ")
            steps = tuple(
                interrupted(s, half, sent) if s.name == name else s for s in building.provisioning()
            )
            building.provisioning = lambda: steps  # type: ignore[method-assign]  # this process is nobody else's
            at = 0
        changes = interrupt(at, sent)
        works.run(work_id)
    building.close()
    sys.exit(sum(changes))


def interrupted(step: Step, half: str, sent: signal.Signals) -> Step:
    """A step that sends this process a signal before one of its halves, and then takes it."""
    taken = getattr(step, half)

    def taking(tenant: Tenant) -> object:
        os.kill(os.getpid(), sent)
        return taken(tenant)

    return replace(step, **{half: taking})  # type: ignore[arg-type]  # do or undo


def interrupt(at: int, sent: signal.Signals) -> list[int]:
    """Send this process a signal when the server has answered, or before a folder changes.

    Returns a list that will have a one for each change.
    """
    changes: list[int] = []

    def changed() -> None:
        changes.append(1)
        if len(changes) == at:
            os.kill(os.getpid(), sent)

    def listening(event: str, _: object) -> None:
        if event in FILES:
            changed()

    execute = psycopg.Cursor.execute

    def executing(self: Any, query: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - the driver's
        result = execute(self, query, *args, **options)
        if CHANGES.search(query.decode() if isinstance(query, bytes) else str(query)):
            changed()
        return result

    psycopg.Cursor.execute = executing  # type: ignore[method-assign]  # this process is nobody else's
    sys.addaudithook(listening)
    return changes
