"""What a worker does beside its tasks: it says that it lives, and looks after tenants' lines."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

from celery import bootsteps, signals
from celery.worker import state
from redis import RedisError

from partywall.adapters.celery.line import Place

if TYPE_CHECKING:
    from partywall.adapters.celery.tasks import TenantTasks

LOG = logging.getLogger("partywall.tasks")

BEATS = 6
"""Signs of life in one lease: some may be late."""

LONGEST_S = 1.0
"""Between two looks: how late a task with a countdown may begin."""


def steward(tenants: TenantTasks, lease_s: float) -> type[bootsteps.StartStopStep]:
    """The step of a worker's consumer that looks after the lines of *tenants*."""

    class Steward(bootsteps.StartStopStep):  # type: ignore[misc] # Celery has no types
        requires: ClassVar = {"celery.worker.consumer.tasks:Tasks"}

        def __init__(self, consumer: Any, **_: Any) -> None:  # noqa: ARG002 - bootsteps pass it
            self._timer: Any = None
            self._seen: dict[str, Place] = {}

        def start(self, consumer: Any) -> None:
            """Begin to look."""
            signals.task_revoked.connect(self.dropped)
            signals.task_rejected.connect(self.rejected)
            signals.task_unknown.connect(self.rejected)
            pause_s = min(lease_s / BEATS, LONGEST_S)
            self._timer = consumer.timer.call_repeatedly(pause_s, self.look)

        def stop(self, consumer: Any) -> None:  # noqa: ARG002 - as above
            """Look no longer; what the consumer holds goes back to the lines."""
            signals.task_revoked.disconnect(self.dropped)
            signals.task_rejected.disconnect(self.rejected)
            signals.task_unknown.disconnect(self.rejected)
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def dropped(self, request: Any, **_: Any) -> None:
            """Give up the place of what was cancelled, or has expired, before it ran."""
            given_up(tenants, request.delivery_info, request.id)

        def rejected(self, message: Any, **_: Any) -> None:
            """Give up the place of what this worker can't read, or has no task for."""
            given_up(tenants, message.delivery_info, (message.headers or {}).get("id"))

        def look(self) -> None:
            """Renew what this worker holds, and release what is due; a Redis that is down waits."""
            try:
                self._seen = tend(tenants, self._seen)
            except RedisError as error:
                LOG.warning("looking after tenants' lines failed: %s", type(error).__name__)

    return Steward


def given_up(tenants: TenantTasks, delivery: Any, execution_id: Any) -> None:
    """Release what waits behind a message that nobody works on any more."""
    place = Place.of((delivery or {}).get("routing_key") or "")
    if place is not None and isinstance(execution_id, str):
        tenants.lines.release(place, ended=execution_id)


def tend(tenants: TenantTasks, seen: dict[str, Place]) -> dict[str, Place]:
    """Renew, release, and give up what was here a moment ago, however it ended; what is here now.

    An execution whose process was ended from outside (time limit, revoked) says nothing any more.
    """
    held = {}
    for request in list(state.reserved_requests):
        place = Place.of((request.delivery_info or {}).get("routing_key") or "")
        if place is not None:
            held[request.id] = place
    for place in set(held.values()):
        tenants.lines.renew(place, [found for found, at in held.items() if at == place])
    for ended in seen.keys() - held.keys():
        tenants.lines.release(seen[ended], ended=ended)
    tenants.lines.look()
    return held
