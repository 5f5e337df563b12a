"""Temporal: what can be asked of another tenant's workflow, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from partywall.survey.jobs.settings import JobsLogin
from partywall.survey.planted import Direction, Planted

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
class Execution(Planted[JobsLogin]):
    """The workflow that is planted for one tenant; no worker takes its task queue."""

    @property
    def workflow(self) -> str:
        """Its id."""
        return f"partywall-{self.owner}-{self.run}"

    def operation(self, verb: Verb, text: str = "") -> Operation:
        """Something asked of it."""
        return Operation(verb, self.login.namespace, self.workflow, text)


ExecutionScene: TypeAlias = Direction[Execution]
