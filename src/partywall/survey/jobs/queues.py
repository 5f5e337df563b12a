"""Celery on Redis: the keys of each tenant's queue and results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from partywall.survey.jobs.settings import JobsLogin
from partywall.survey.planted import Direction, Planted

BESIDE = "\x06\x16"
"""What kombu sets between the name of a queue and a priority; no worker asks for ours."""


@dataclass(frozen=True, slots=True)
class Queue(Planted[JobsLogin]):
    """One tenant's queue, and the keys that stand for it."""

    @property
    def beside(self) -> str:
        """A list beside the queue's."""
        return f"{self.login.prefix}{self.login.queue}{BESIDE}partywall-{self.run}"

    @property
    def result(self) -> str:
        """The result of a task that never was."""
        return f"{self.login.prefix}celery-task-meta-partywall-{self.owner}-{self.run}"


QueueScene: TypeAlias = Direction[Queue]
