"""Which job a worker takes next: the tenants in turn, each within its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from procrastinate.jobs import Job
from procrastinate.manager import JobManager

from partywall.adapters.procrastinate.schema import FETCH

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from procrastinate.connector import BaseConnector

    from partywall.adapters.executions import Limits

ALIVE_S = 30.0
"""procrastinate's own `stalled_worker_timeout`."""


class FairJobManager(JobManager):
    """procrastinate's manager of jobs, but for the order in which it hands them out.

    Args:
        connector: procrastinate's.
        limits: what a tenant may have at once.
        checked: asked once, before the first job is taken.
        alive_s: how long after its last heartbeat a dead worker counts as busy.
    """

    def __init__(
        self,
        connector: BaseConnector,
        limits: Limits,
        checked: Callable[[], Awaitable[None]],
        alive_s: float,
    ) -> None:
        super().__init__(connector)
        self._checked = checked
        self._turn = ""
        self._terms: dict[str, Any] = {
            "usual": limits.at_once,
            "special": {tenant: own.at_once for tenant, own in limits.tenants.items()},
            "alive_s": alive_s,
        }

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """The first job of the next tenant that may have one, marked as being done."""
        await self._checked()
        asked = None if queues is None else list(queues)
        while True:
            row = await self.connector.execute_query_one_async(
                query=FETCH, queues=asked, worker=worker_id, after=self._turn, **self._terms
            )
            self._turn = row["turn"]
            if not row["again"]:
                return None if row["id"] is None else Job.from_row(row)
