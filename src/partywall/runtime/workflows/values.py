"""What workflows are made of: frozen values, no I/O."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from partywall.context import ID
from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

Status = Literal["running", "done", "failed", "cancelled", "timed_out"]
"""`running` is all that has not ended: also what waits for its turn, a signal or a moment."""

LONGEST_PAUSE_S = 60.0

COMPACT = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of a workflow for one tenant.

    Attributes:
        id: unique in its tenant.
        workflow: the name of the workflow.
        created_at: when it was started, in UTC.
    """

    id: str
    workflow: str
    status: Status
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a workflow is started for a tenant, again and again.

    Attributes:
        name: unique in its tenant.
        workflow: the name of the workflow.
        cron: minute, hour, day of the month, month, day of the week.
        timezone: in which the cron is read, `Europe/Berlin`.
    """

    name: str
    workflow: str
    cron: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Workflow:
    """A body, under the name by which engines know it: what was begun names it.

    Attributes:
        timeout_s: an execution that takes longer is ended; None: it may take years.
    """

    name: str
    body: Callable[..., Any]
    timeout_s: float | None

    @property
    def asynchronous(self) -> bool:
        """Whether the body is an `async def`."""
        return inspect.iscoroutinefunction(self.body)


@dataclass(frozen=True, slots=True)
class Step:
    """A function that a body may call durably.

    Attributes:
        attempts: how often it is tried.
        pause_s: between the first two; it doubles with each, up to a minute.
        timeout_s: of one attempt of an `async def`.
    """

    name: str
    function: Callable[..., Any]
    attempts: int
    pause_s: float
    timeout_s: float | None

    @property
    def asynchronous(self) -> bool:
        """Whether the function is an `async def`."""
        return inspect.iscoroutinefunction(self.function)

    def pause_after(self, attempt: int) -> float:
        """Seconds to wait after the attempt of this number, which failed."""
        return min(self.pause_s * 2.0 ** min(attempt - 1, 16), LONGEST_PAUSE_S)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an execution belongs: what every sealed text of it is bound to."""

    tenant: str
    workflow: str
    id: str

    @property
    def key(self) -> str:
        """Its id among those of all tenants; no id has a slash, so no two are alike."""
        return f"{self.tenant}/{self.id}"

    @classmethod
    def at(cls, key: str, workflow: str) -> Place:
        """The place that `key` names."""
        tenant, _, id_ = key.partition("/")
        return cls(tenant, workflow, id_)

    def bound(self, kind: str, *more: object) -> tuple[str, ...]:
        """What a text of this kind is sealed to."""
        return (kind, self.tenant, self.workflow, self.id, *map(str, more))


def prefix(tenant: str) -> str:
    """What the keys of a tenant's executions and schedules begin with."""
    return f"{tenant}/"


def named(what: str, name: str) -> str:
    """A name of a workflow, a step, a schedule, a signal.

    Raises:
        ConfigurationError: when it can't be one.
    """
    if not ID.match(name):
        raise ConfigurationError(
            f"this can't be the name of a {what}: use 1 to 128 ASCII letters, digits and any of "
            "_ . : @ - between them"
        )
    return name


def written(value: object) -> str:
    """A value as engines keep it.

    Raises:
        ConfigurationError: for what JSON can't carry. The message doesn't show the value.
    """
    try:
        return COMPACT.encode(value)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            "what workflows and steps are given and give back must be JSON: None, booleans, "
            f"numbers, text, lists and dictionaries of them ({type(value).__name__} is not)"
        ) from error
