"""An execution as Temporal sees it, and what its worker does for it.

Bodies run on the worker's one thread for workflows: a `def` is a greenlet there, which may not
change its thread, and gives the turn back whenever it waits.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy.util import await_only, greenlet_spawn
from temporalio import activity, workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from partywall import errors
from partywall.runtime.workflows.engine import Call, Failed, NotNow
from partywall.runtime.workflows.values import Place

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from partywall.runtime.workflows.engine import Outcome
    from partywall.runtime.workflows.hosting import Host

STEP, ADMIT, DUE = "partywall.tenant.step", "partywall.tenant.admit", "partywall.tenant.due"
"""Of the activities, the last of a workflow too: never changed, for old executions name them."""

TYPE = "tenant/"
"""What Temporal's names of our workflows begin with."""

LONGEST_STEP = dt.timedelta(days=1)
LONGEST_LOOK = dt.timedelta(minutes=1)
RETRY = RetryPolicy(
    initial_interval=dt.timedelta(seconds=0.5), maximum_interval=dt.timedelta(seconds=30)
)


class Here(threading.local):
    """Set in the thread in which a worker runs workflows."""

    host: Host
    queue: str
    heartbeat_s: float


HERE = Here()


def settle(host: Host, queue: str, heartbeat_s: float) -> None:
    """Say in this thread whose workflows it runs."""
    HERE.host, HERE.queue, HERE.heartbeat_s = host, queue, heartbeat_s


@workflow.defn(dynamic=True, sandboxed=False)
class Tenancies:
    """Every workflow of tenants; its type says which."""

    def __init__(self) -> None:
        self._signals: dict[str, deque[str]] = defaultdict(deque)

    @workflow.signal(name="partywall.tenant.signal")
    def told(self, name: str, sealed: str) -> None:
        """Keep a signal until the body waits for it."""
        self._signals[name].append(sealed)

    @workflow.run
    async def run(self, arguments: Sequence[RawValue]) -> str:
        """Run the body."""
        [sealed] = [
            workflow.payload_converter().from_payload(each.payload, str) for each in arguments
        ]
        info, host = workflow.info(), HERE.host
        name = info.workflow_type.removeprefix(TYPE)
        if name not in host.workflows:
            raise RuntimeError("no workflow of this name is declared in this worker")
        place = Place.at(info.workflow_id.removeprefix(f"{HERE.queue}/"), name)
        powers, passing = TemporalPowers(self._signals), (ActivityError,)
        try:
            if host.workflows[name].asynchronous:
                return await host.async_play(place, sealed, powers, passing)
            waiting = Waiting(powers)
            played: str = await greenlet_spawn(host.play, place, sealed, waiting, passing)
        except Failed as failed:
            raise ApplicationError(str(failed), type="Failed", non_retryable=True) from None
        return played


@workflow.defn(name=DUE, sandboxed=False)
class Firing:
    """What Temporal starts when a schedule is due."""

    @workflow.run
    async def run(self, key: str, sealed: str) -> None:
        """Start what the schedule says."""
        await workflow.execute_activity(
            DUE,
            args=[key, sealed, workflow.info().workflow_id],
            start_to_close_timeout=LONGEST_LOOK,
            retry_policy=RETRY,
        )


class TemporalPowers:
    """What an execution may ask of Temporal."""

    def __init__(self, signals: dict[str, deque[str]]) -> None:
        self._signals = signals

    async def admit(self, place: Place) -> None:
        """Go on only when the tenant may be entered."""
        gone: str = await workflow.execute_activity(
            ADMIT,
            place.tenant,
            result_type=str,
            start_to_close_timeout=LONGEST_LOOK,
            retry_policy=RETRY,
        )
        if gone:
            raise getattr(errors, gone)("the tenant is gone, and with it what it had begun")

    async def step(self, call: Call) -> str:
        """Take a step once and for all; its sealed outcome."""
        sealed: str = await workflow.execute_activity(
            STEP,
            args=[
                call.place.key,
                call.place.workflow,
                call.step.name,
                call.number,
                HERE.host.sealed(call),
            ],
            result_type=str,
            summary=call.step.name,
            start_to_close_timeout=LONGEST_STEP,
            heartbeat_timeout=dt.timedelta(seconds=HERE.heartbeat_s),
            retry_policy=RETRY,
        )
        return sealed

    async def sleep(self, seconds: float) -> None:
        """Go on after so long."""
        await workflow.sleep(seconds)

    async def wait(self, _: Place, name: str, timeout_s: float | None) -> str | None:
        """The next signal of this name."""
        there = self._signals[name]
        try:
            await workflow.wait_condition(lambda: bool(there), timeout=timeout_s)
        except TimeoutError:
            return None
        return there.popleft()


class Waiting:
    """The same for a body that is a `def`: it is a greenlet, and waits where it stands."""

    def __init__(self, powers: TemporalPowers) -> None:
        self._powers = powers

    def admit(self, place: Place) -> None:
        """As `TemporalPowers.admit`."""
        await_only(self._powers.admit(place))

    def step(self, call: Call) -> str:
        """As `TemporalPowers.step`."""
        return await_only(self._powers.step(call))

    def sleep(self, seconds: float) -> None:
        """As `TemporalPowers.sleep`."""
        await_only(self._powers.sleep(seconds))

    def wait(self, place: Place, name: str, timeout_s: float | None) -> str | None:
        """As `TemporalPowers.wait`."""
        return await_only(self._powers.wait(place, name, timeout_s))


class Activities:
    """What a worker does for executions: all that touches the world.

    What the server is told of an error is that there was one: it keeps it, and shows it.
    """

    def __init__(self, host: Host, heartbeat_s: float, suspended_s: float) -> None:
        self._host = host
        self._heartbeat_s = heartbeat_s
        self._suspended_s = suspended_s

    @activity.defn(name=ADMIT)
    async def admit(self, tenant: str) -> str:
        """The name of the error that says the tenant is gone; "" when it may be entered.

        Raises:
            ApplicationError: when it may be later.
        """
        try:
            await self._host.async_admit(tenant)
        except NotNow:
            raise self._later() from None
        except errors.TenantError as error:
            return type(error).__name__
        return ""

    @activity.defn(name=STEP)
    async def step(self, key: str, name: str, step: str, number: int, arguments: str) -> str:
        """Take a step; its sealed outcome.

        Raises:
            ApplicationError: when it is to be tried again.
        """
        if step not in self._host.steps:
            raise ApplicationError("no step of this name is declared in this worker")
        known = self._host.steps[step]
        call = Call(Place.at(key, name), known, number, arguments, sealed=True)
        failures: int = sum(activity.info().heartbeat_details)
        try:
            outcome = await self._alive(lambda: self._host.async_act(call, failures + 1), failures)
        except NotNow:
            raise self._later() from None
        if outcome.pause_s is None:
            return outcome.sealed
        activity.heartbeat(failures + 1)
        raise again("the step is tried again", outcome.pause_s)

    @activity.defn(name=DUE)
    async def due(self, key: str, sealed: str, firing: str) -> None:
        """Start what a schedule says."""
        place = Place.at(key, "")
        try:
            await asyncio.to_thread(self._host.due, place.tenant, place.id, sealed, firing)
        except errors.ForgedExecution:
            raise ApplicationError("the schedule was edited", non_retryable=True) from None
        except Exception as error:  # noqa: BLE001 - it may hold anything
            raise ApplicationError(f"it is tried again: {type(error).__name__}") from None

    async def _alive(self, acting: Callable[[], Awaitable[Outcome]], failures: int) -> Outcome:
        """Wait for what is done, and tell the server meanwhile that somebody is still at it."""
        task = asyncio.ensure_future(acting())
        try:
            while not task.done():
                activity.heartbeat(failures)
                await asyncio.wait({task}, timeout=self._heartbeat_s / 4)
        except asyncio.CancelledError:
            task.cancel()
            raise
        return task.result()

    def _later(self) -> ApplicationError:
        return again("the tenant may not be entered at this moment", self._suspended_s)


def again(words: str, pause_s: float) -> ApplicationError:
    """An error after which the server tries once more."""
    return ApplicationError(words, next_retry_delay=dt.timedelta(seconds=pause_s))
