"""Temporal: what can be asked of another tenant's workflow, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from partywall.survey.jobs.settings import JobsLogin

Verb: TypeAlias = Literal["start", "describe", "history", "list", "signal", "cancel", "terminate"]
COMMANDS: dict[Verb, str] = {
    "start": "workflow start --type partywall --task-queue partywall",
    "describe": "workflow describe", "history": "workflow show", "list": "workflow list",
    "signal": "workflow signal --name partywall", "cancel": "workflow cancel",
    "terminate": "workflow terminate",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    """One request to a Temporal server, in a namespace."""

    verb: Verb
    namespace: str
    workflow: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Execution:
    """The workflow that is planted for one tenant; no worker takes its task queue."""

    login: JobsLogin
    run: str
    canary: str

    @property
    def owner(self) -> str:
        """The tenant's name."""
        return self.login.name

    @property
    def workflow(self) -> str:
        """Its id."""
        return f"partywall-{self.owner}-{self.run}"

    def operation(self, verb: Verb, text: str = "") -> Operation:
        """Something asked of it."""
        return Operation(verb, self.login.namespace, self.workflow, text)


@dataclass(frozen=True, slots=True)
class ExecutionScene:
    """One direction."""

    attacker: Execution
    victim: Execution
