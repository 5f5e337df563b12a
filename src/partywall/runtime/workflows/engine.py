"""What a workflow engine does for us, and what we do for it. It sees nothing but sealed texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sqlalchemy import URL

    from partywall.runtime.workflows.hosting import Host
    from partywall.runtime.workflows.sealing import Seal
    from partywall.runtime.workflows.values import Place, Schedule, Status, Step, Workflow


@dataclass(frozen=True, slots=True)
class Found:
    """An execution as its engine has it.

    Attributes:
        outcome: the sealed result, or why there is none; "" while there is neither.
        ended_by: where the engine has ended it, the name of its reason.
    """

    key: str
    workflow: str
    status: Status
    created_at: dt.datetime
    outcome: str = ""
    ended_by: str = ""

    @property
    def ended(self) -> bool:
        """Whether it does nothing more."""
        return self.status != "running"


@dataclass(frozen=True, slots=True)
class Call:
    """A step of an execution that is to be taken.

    Attributes:
        number: which one of the execution, from 1.
        arguments: a text, with the context.
        sealed: whether they are; an engine that keeps them, or sends them elsewhere, has them so.
    """

    place: Place
    step: Step
    number: int
    arguments: str
    sealed: bool = False

    @property
    def bound(self) -> tuple[str, ...]:
        """What its arguments are sealed to."""
        return self.place.bound("arguments", self.step.name, self.number)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt of a step ended.

    Attributes:
        sealed: its result, or its error.
        pause_s: when to try it again; None: never.
    """

    sealed: str
    pause_s: float | None = None


class Failed(Exception):  # noqa: N818 - it is a state, and carries nothing in clear
    """Ends an execution in its engine's eyes; its only argument is the sealed error."""


class NotNow(BaseException):
    """The tenant may not be entered at this moment: to be asked again later, whoever catches."""


class Engine(Protocol):
    """Keeps executions and runs them; DBOS and Temporal are ones."""

    @property
    def seal(self) -> Seal:
        """The key of what it keeps."""

    def launch(self, host: Host, application: Sequence[URL]) -> None:
        """Begin to run what was started, here and by others.

        Args:
            host: runs bodies and steps.
            application: with whose logins nobody may read what the engine keeps.
        """

    def start(self, place: Place, workflow: Workflow, sealed: str, delay_s: float) -> None:
        """Start an execution, durably once this returns; nothing for one that is there."""

    def find(self, place: Place) -> Found | None:
        """An execution, by its key alone."""

    def executions(
        self, tenant: str, workflow: str | None, before: dt.datetime | None, limit: int
    ) -> list[Found]:
        """The newest executions of a tenant."""

    def cancel(self, place: Place) -> None:
        """End an execution before its next step."""

    def signal(self, place: Place, name: str, sealed: str) -> None:
        """Tell an execution something; it may begin to wait for it later."""

    def schedule(self, tenant: str, schedule: Schedule, sealed: str) -> None:
        """Keep a schedule, instead of one of the same name."""

    def schedules(self, tenant: str) -> list[tuple[str, str]]:
        """The keys of a tenant's schedules, and what was sealed with them."""

    def unschedule(self, tenant: str, name: str) -> None:
        """Forget a schedule; nothing where there is none."""

    def fire(self, tenant: str, name: str) -> bool:
        """Let a schedule do now what it does when it is due; False where there is none."""

    def close(self) -> None:
        """Stop running; what has not ended stays, for the next one to take up."""


class Powers(Protocol):
    """What a running body can ask of its engine."""

    def admit(self, place: Place) -> None:
        """Go on only when the tenant may be entered."""

    def step(self, call: Call) -> str:
        """Take a step once and for all; its sealed outcome."""

    def sleep(self, seconds: float) -> None:
        """Go on after so long, whatever dies meanwhile."""

    def wait(self, place: Place, name: str, timeout_s: float | None) -> str | None:
        """The next signal of this name; None when there was none in time."""


class AsyncPowers(Protocol):
    """The same for an `async def`."""

    async def admit(self, place: Place) -> None:
        """As `Powers.admit`."""

    async def step(self, call: Call) -> str:
        """As `Powers.step`."""

    async def sleep(self, seconds: float) -> None:
        """As `Powers.sleep`."""

    async def wait(self, place: Place, name: str, timeout_s: float | None) -> str | None:
        """As `Powers.wait`."""
