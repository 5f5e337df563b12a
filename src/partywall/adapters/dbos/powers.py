"""What a body may ask of DBOS, and when it is laid aside."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from dbos import DBOS
from sqlalchemy.exc import SQLAlchemyError

from partywall.adapters.dbos.instance import Stopped
from partywall.runtime.waiting import pauses
from partywall.runtime.workflows.engine import NotNow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from partywall.adapters.dbos.rows import Rows
    from partywall.runtime.workflows.engine import Call
    from partywall.runtime.workflows.hosting import Host
    from partywall.runtime.workflows.values import Place

LOG = logging.getLogger("partywall.workflows")

AT_HAND_S = 1.0
"""A sleep that is shorter is slept: DBOS looks once a second for what is laid aside."""

LONGEST_S = 30.0
"""Between two attempts to lay an execution aside."""

SLEEP, WAIT, LOOK = "partywall.sleep", "partywall.wait", "partywall.look"


class Aside(BaseException):
    """Not to go on before a moment, or before a signal."""

    def __init__(self, until_s: float | None, signal: str | None = None) -> None:
        super().__init__()
        self.until_s, self.signal = until_s, signal


class Work:
    """What the executions in this process share: nothing of a tenant.

    Attributes:
        stopping: set when nothing new may begin.
    """

    def __init__(self, host: Host, rows: Rows, suspended_s: float) -> None:
        self.host = host
        self.stopping = threading.Event()
        self._rows = rows
        self._suspended_s = suspended_s
        self._acting: set[object] = set()

    def stop(self, grace_s: float) -> None:
        """Begin nothing new, and wait for the steps that are being taken."""
        self.stopping.set()
        for pause_s in pauses(grace_s):
            if not self._acting:
                return
            time.sleep(pause_s)

    @contextmanager
    def turn(self, place: Place) -> Iterator[None]:
        """An execution runs, until it ends or is laid aside."""
        self.go_on()
        try:
            yield
        except (Aside, NotNow) as reason:
            self._lay_aside(place, reason)
            raise Stopped from None

    @asynccontextmanager
    async def async_turn(self, place: Place) -> AsyncIterator[None]:
        """The same for an `async def`."""
        self.go_on()
        try:
            yield
        except (Aside, NotNow) as reason:
            await asyncio.to_thread(self._lay_aside, place, reason)
            raise Stopped from None

    @contextmanager
    def acting(self) -> Iterator[None]:
        """A step is being taken: `stop` waits for it."""
        token = object()
        self._acting.add(token)  # before it is asked, so that `stop` sees it; and without a lock
        try:
            self.go_on()
            yield
        finally:
            self._acting.discard(token)

    def go_on(self) -> None:
        """Go on unless the process stops.

        Raises:
            Stopped: when it does.
        """
        if self.stopping.is_set():
            raise Stopped

    def _lay_aside(self, place: Place, reason: Aside | NotNow) -> None:
        """Again and again while DBOS's database is down: that is no failure of the execution."""
        aside = reason if isinstance(reason, Aside) else Aside(time.time() + self._suspended_s)
        for pause_s in pauses(None, LONGEST_S):
            try:
                self._rows.lay_aside(place, aside.until_s, aside.signal)
            except SQLAlchemyError as error:
                LOG.warning("an execution is laid aside again: %s", type(error).__name__)
            else:
                return
            self.stopping.wait(pause_s)
            self.go_on()


class Once:
    """What both kinds of powers share; each execution has powers of its own."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._aside: Aside | None = None

    def _still_here(self) -> None:
        """Do nothing more in an execution that is being laid aside: a `finally` of its body."""
        if self._aside is not None:
            raise self._aside

    def _lay_aside(self, until_s: float | None, signal: str | None = None) -> None:
        self._aside = Aside(until_s, signal)
        raise self._aside


class DbosPowers(Once):
    """For bodies that are a `def`."""

    def admit(self, place: Place) -> None:
        """Go on only when the tenant may be entered."""
        self._work.host.admit(place.tenant)

    def step(self, call: Call) -> str:
        """Take a step once and for all; its sealed outcome."""
        self._still_here()
        return DBOS.run_step({"name": call.step.name}, self._attempts, call)

    def _attempts(self, call: Call) -> str:
        attempt = 1
        while True:
            with self._work.acting():
                outcome = self._work.host.act(call, attempt)
            if outcome.pause_s is None:
                return outcome.sealed
            self._work.stopping.wait(outcome.pause_s)
            attempt += 1

    def sleep(self, seconds: float) -> None:
        """Go on after so long."""
        self._still_here()
        until_s = DBOS.run_step({"name": SLEEP}, after(seconds))
        left_s = until_s - time.time()
        if left_s > AT_HAND_S:
            self._lay_aside(until_s)
        self._work.stopping.wait(max(left_s, 0.0))
        self._work.go_on()

    def wait(self, _: Place, name: str, timeout_s: float | None) -> str | None:
        """The next signal of this name.

        Whether there was one, and whether the time was up, is kept each time it is looked at, so
        that an execution that is run again sees the same.
        """
        self._still_here()
        until_s = None if timeout_s is None else DBOS.run_step({"name": WAIT}, after(timeout_s))
        while True:
            sealed: str | None = DBOS.recv(name, timeout_seconds=0)
            if sealed is not None:
                return sealed
            look = Look(until_s)
            if DBOS.run_step({"name": LOOK}, look):
                return None
            if look.taken:
                self._lay_aside(until_s, name)


class AsyncDbosPowers(Once):
    """For bodies that are an `async def`."""

    async def admit(self, place: Place) -> None:
        """As `DbosPowers.admit`."""
        await self._work.host.async_admit(place.tenant)

    async def step(self, call: Call) -> str:
        """As `DbosPowers.step`."""
        self._still_here()
        return await DBOS.run_step_async({"name": call.step.name}, self._attempts, call)

    async def _attempts(self, call: Call) -> str:
        attempt = 1
        while True:
            with self._work.acting():
                outcome = await self._work.host.async_act(call, attempt)
            if outcome.pause_s is None:
                return outcome.sealed
            await asyncio.sleep(outcome.pause_s)
            attempt += 1

    async def sleep(self, seconds: float) -> None:
        """As `DbosPowers.sleep`."""
        self._still_here()
        until_s = await DBOS.run_step_async({"name": SLEEP}, after(seconds))
        left_s = until_s - time.time()
        if left_s > AT_HAND_S:
            self._lay_aside(until_s)
        await asyncio.sleep(max(left_s, 0.0))

    async def wait(self, _: Place, name: str, timeout_s: float | None) -> str | None:
        """As `DbosPowers.wait`."""
        self._still_here()
        until_s = None
        if timeout_s is not None:
            until_s = await DBOS.run_step_async({"name": WAIT}, after(timeout_s))
        while True:
            sealed: str | None = await DBOS.recv_async(name, timeout_seconds=0)
            if sealed is not None:
                return sealed
            look = Look(until_s)
            if await DBOS.run_step_async({"name": LOOK}, look):
                return None
            if look.taken:
                self._lay_aside(until_s, name)


class Look:
    """Whether it is too late; and whether that was asked now, and not when it was run before."""

    def __init__(self, until_s: float | None) -> None:
        self._until_s = until_s
        self.taken = False

    def __call__(self) -> bool:
        """Whether the moment has come."""
        self.taken = True
        return self._until_s is not None and time.time() >= self._until_s


def after(seconds: float) -> Callable[[], float]:
    """A function that says which moment is so far away."""
    return lambda: time.time() + seconds
