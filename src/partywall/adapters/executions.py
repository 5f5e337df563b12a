"""What the adapters of task queues have in common: executions, and what a tenant may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from partywall.context import required
from partywall.errors import (
    ConfigurationError,
    ExecutionFailed,
    ExecutionPending,
    UnknownExecution,
)
from partywall.runtime.admission import Admission

if TYPE_CHECKING:
    from partywall.context import TenantContext
    from partywall.runtime.directory import Directory
    from partywall.runtime.tenancy import Tenancy

Status = Literal["waiting", "running", "succeeded", "failed", "cancelled"]

ENDED: frozenset[Status] = frozenset({"succeeded", "failed", "cancelled"})

WITHOUT = "a task is started for a tenant: tasks.start(context, task, …), never task.delay(…)"
"""What is said where there is no context."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of a task for one tenant.

    Attributes:
        id: unique in its tenant; nothing to anybody else.
        name: of the task.
        status: how it stood when it was asked for.
        parts: the ids of the executions of a group, else none.
    """

    id: str
    name: str
    status: Status = "waiting"
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What one tenant may have of the workers.

    Args:
        at_once: executions in the workers' hands; the others wait in the tenant's own line, so
            that nobody stands behind more than this many of one tenant.
        waiting: executions in that line; a further one is a QuotaExceeded. None for any number.
        tenants: tenant id -> limits of its own, instead of these.
    """

    at_once: int = 8
    waiting: int | None = None
    tenants: Mapping[str, Limits] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what would let nobody in, or a tenant out of its limits.

        Raises:
            ConfigurationError: for less than one.
        """
        if self.at_once < 1 or (self.waiting is not None and self.waiting < 1):
            raise ConfigurationError("Limits(at_once=…, waiting=…) are at least 1 each")

    def of(self, tenant_id: str) -> Limits:
        """The limits of one tenant."""
        return self.tenants.get(tenant_id, self)


def given(context: object) -> TenantContext:
    """The context.

    Raises:
        MissingTenant: where something else was passed.
    """
    return required(context, WITHOUT)


def unknown() -> UnknownExecution:
    """What is said of an execution that is not there, and of another tenant's alike."""
    return UnknownExecution("this tenant has no execution by this id")


def failed(name: str, reason: str) -> ExecutionFailed:
    """What is said of an execution that failed; the reason begins with the error's class."""
    kind = reason.partition(":")[0]
    return ExecutionFailed(f"{name} failed; its `reason` says why", kind=kind, reason=reason)


def cancelled(name: str) -> ExecutionFailed:
    """What is said of an execution that was cancelled."""
    return ExecutionFailed(f"{name} was cancelled", status="cancelled", reason="cancelled")


def pending(name: str, timeout_s: float) -> ExecutionPending:
    """What is said of an execution that goes on."""
    return ExecutionPending(f"{name} has not ended in {timeout_s:g} s")


class Gate:
    """Lets in the tenants that may be entered, as sessions do.

    Args:
        tenancy: whose directory is asked.
        directory: the same, where there is no `Tenancy`.
    """

    def __init__(self, tenancy: Tenancy | None, directory: Directory | None) -> None:
        self.tenancy = tenancy
        self._admission = Admission(directory, WITHOUT)

    def admit(self, context: TenantContext) -> None:
        """Let the tenant in.

        Raises:
            UnknownTenant, InactiveTenant, DeletedTenant: when it may not be entered.
        """
        if self.tenancy is not None:
            self.tenancy.lease(context)
        self._admission.admit(context)

    async def async_admit(self, context: TenantContext) -> None:
        """As `admit`, for async code."""
        if self.tenancy is not None:
            await self.tenancy.async_lease(context)
        await self._admission.async_admit(context)


def text_of(error: BaseException) -> str:
    """An error as the tenant whose work it was may read it; what no database keeps is a `?`."""
    said = f"{type(error).__name__}: {error}".replace("\0", "?")
    return said.encode(errors="replace").decode()
