"""An application's workflows of its tenants on Temporal.

What the server is given is encrypted before; it sees whose an execution is, its workflow's and its
steps' names, and when. Each tenant is a fairness key: a server that knows fairness serves those who
wait in turns (`matching.enableFairness`, Temporal 1.29 and later).
https://docs.temporal.io/develop/task-queue-priority-fairness
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleSpec,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from partywall.adapters.temporal.connection import Connection, Server
from partywall.adapters.temporal.executing import (
    DUE,
    TYPE,
    Activities,
    Firing,
    Tenancies,
    settle,
)
from partywall.errors import ConfigurationError, WorkError
from partywall.runtime.workflows.engine import Found
from partywall.runtime.workflows.sealing import Seal
from partywall.runtime.workflows.values import Place, prefix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import URL
    from temporalio.client import WorkflowExecution, WorkflowHandle

    from partywall.runtime.workflows.hosting import Host
    from partywall.runtime.workflows.values import Schedule as Kept
    from partywall.runtime.workflows.values import Status, Workflow

LOG = logging.getLogger("partywall.workflows")

STATUS: dict[WorkflowExecutionStatus | None, Status] = {
    WorkflowExecutionStatus.COMPLETED: "done",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.TERMINATED: "cancelled",
    WorkflowExecutionStatus.TIMED_OUT: "timed_out",
}
"""And `running` for the others."""

LONGEST_FAIRNESS_KEY = 64  # bytes
TASK_TIMEOUT = dt.timedelta(seconds=5)  # a worker that died had the workflow for so long
BODIES = 16  # that wait for the one thread: the SDK takes one that waits 2 s for a deadlock


class TemporalWorkflows:
    """The workflow engine for those who run a Temporal server already, for tenants' workflows.

    Args:
        target: the server, `127.0.0.1:7233`.
        key: encrypts what the server is given, 32 bytes or more; the same in all processes.
        older_keys: what `key` was before, while anything is left that it encrypted.
        namespace: in which the workflows are.
        queue: the task queue, of one application only.
        concurrency: how many steps this process takes at once.
        heartbeat_s: when a step whose process died is taken by another.
        suspended_s: how often to ask whether a tenant may be entered again.
        patience_s: how long the server may take to answer.
        grace_s: how long `close` waits for the steps that are being taken.
        options: passed on to `temporalio.client.Client.connect`: `tls=`, `api_key=`.

    Raises:
        ConfigurationError: when the key is too short.
    """

    name = "temporal"

    def __init__(  # noqa: PLR0913 - one argument for each thing that can be chosen
        self,
        target: str = "127.0.0.1:7233",
        *,
        key: str | bytes,
        older_keys: Sequence[str | bytes] = (),
        namespace: str = "default",
        queue: str = "partywall-tenants",
        concurrency: int = 64,
        heartbeat_s: float = 10.0,
        suspended_s: float = 30.0,
        patience_s: float = 10.0,
        grace_s: float = 30.0,
        **options: Any,
    ) -> None:
        self.seal = Seal(key, older_keys)
        self._connection = Connection(
            Server(target, namespace, options), patience_s, concurrency + 2
        )
        self._queue = queue
        self._concurrency = concurrency
        self._heartbeat_s = heartbeat_s
        self._suspended_s = suspended_s
        self._grace_s = grace_s
        self._launching = threading.Lock()
        self._worker: Worker | None = None
        self._workflow_thread: ThreadPoolExecutor | None = None

    def launch(self, host: Host, application: Sequence[URL]) -> None:
        """Begin to run what was started, here and by others."""
        del application  # its logins are none of this server's
        with self._launching:
            if self._worker is not None:
                raise ConfigurationError("these workflows were launched already: launch them once")
            self._connection.do(self._work(host))

    def start(self, place: Place, workflow: Workflow, sealed: str, delay_s: float) -> None:
        """Start an execution, durably once this returns; nothing for one that is there."""

        async def starting() -> None:
            try:
                await self._connection.client.start_workflow(
                    TYPE + place.workflow,
                    sealed,
                    id=self._id(place.key),
                    task_queue=self._queue,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    execution_timeout=seconds(workflow.timeout_s),
                    start_delay=seconds(delay_s) if delay_s > 0 else None,
                    task_timeout=TASK_TIMEOUT,
                    priority=Priority(fairness_key=fairness(place.tenant)),
                )
            except WorkflowAlreadyStartedError:
                return

        self._connection.do(starting())

    def find(self, place: Place) -> Found | None:
        """An execution, by its key alone."""

        async def finding() -> Found | None:
            handle = self._connection.client.get_workflow_handle(self._id(place.key))
            try:
                described = await handle.describe()
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return None
                raise
            if not described.workflow_type.startswith(TYPE):
                return None
            return await self._with_outcome(handle, self._found(described))

        return self._connection.do(finding())

    def executions(
        self, tenant: str, workflow: str | None, before: dt.datetime | None, limit: int
    ) -> list[Found]:
        """The newest executions of a tenant; the server notices new ones a moment later."""
        query = f'WorkflowId STARTS_WITH "{self._id(prefix(tenant))}"'
        if workflow is not None:
            query += f' AND WorkflowType = "{TYPE}{workflow}"'
        if before is not None:
            query += f' AND StartTime < "{before.astimezone(dt.UTC).isoformat()}"'

        async def listing() -> list[Found]:
            rows = self._connection.client.list_workflows(query, limit=limit)
            return [self._found(each) async for each in rows]

        return self._connection.do(listing())

    def cancel(self, place: Place) -> None:
        """End an execution before its next step."""
        self._connection.do(self._handle(place.key, lambda handle: handle.cancel()))

    def signal(self, place: Place, name: str, sealed: str) -> None:
        """Tell an execution something; it may begin to wait for it later."""
        told = "partywall.tenant.signal"
        self._connection.do(
            self._handle(place.key, lambda handle: handle.signal(told, args=[name, sealed]))
        )

    def schedule(self, tenant: str, schedule: Kept, sealed: str) -> None:
        """Keep a schedule, instead of one of the same name."""
        key = prefix(tenant) + schedule.name
        made = Schedule(
            action=ScheduleActionStartWorkflow(
                DUE,
                args=[key, sealed],
                id=f"{self._queue}.due/{key}",
                task_queue=self._queue,
                task_timeout=TASK_TIMEOUT,
            ),
            spec=ScheduleSpec(cron_expressions=[schedule.cron], time_zone_name=schedule.timezone),
        )
        memo = {"sealed": sealed}

        async def keeping() -> None:
            client = self._connection.client
            while True:  # another process may keep one of this name at the same moment
                try:
                    await client.create_schedule(self._id(key), made, memo=memo)
                except ScheduleAlreadyRunningError:
                    await self._forgotten(key)
                else:
                    return

        try:
            self._connection.do(keeping())
        except WorkError as error:
            if refused(error, RPCStatusCode.INVALID_ARGUMENT):
                raise ConfigurationError(f"{schedule.cron!r} is no cron") from error
            raise

    def schedules(self, tenant: str) -> list[tuple[str, str]]:
        """The keys of a tenant's schedules, and what was sealed with them."""
        begin = self._id(prefix(tenant))
        query = f'ScheduleId STARTS_WITH "{begin}"'

        async def listing() -> list[tuple[str, str]]:
            rows = await self._connection.client.list_schedules(query)
            return [
                (each.id.removeprefix(self._id("")), str(await each.memo_value("sealed", "")))
                async for each in rows
                if each.id.startswith(begin)
            ]

        return self._connection.do(listing())

    def unschedule(self, tenant: str, name: str) -> None:
        """Forget a schedule; nothing where there is none."""
        self._connection.do(self._forgotten(prefix(tenant) + name))

    def fire(self, tenant: str, name: str) -> bool:
        """Let a schedule do now what it does when it is due; False where there is none."""

        async def firing() -> bool:
            handle = self._connection.client.get_schedule_handle(self._id(prefix(tenant) + name))
            try:
                await handle.trigger()
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return False
                raise
            return True

        return self._connection.do(firing())

    def close(self) -> None:
        """Stop running when the steps that are being taken have ended; the rest stays."""
        with self._launching:
            if self._worker is not None:
                self._connection.await_(self._worker.shutdown())
            self._connection.close()
            if self._workflow_thread is not None:
                self._workflow_thread.shutdown()
            self._worker = self._workflow_thread = None

    async def _work(self, host: Host) -> None:
        settled = (host, self._queue, self._heartbeat_s)
        self._workflow_thread = ThreadPoolExecutor(
            1, "partywall-workflows", initializer=settle, initargs=settled
        )
        activities = Activities(host, self._heartbeat_s, self._suspended_s)
        worker = Worker(
            self._connection.client,
            task_queue=self._queue,
            workflows=[Tenancies, Firing],
            activities=[activities.step, activities.admit, activities.due],
            workflow_task_executor=self._workflow_thread,
            max_concurrent_workflow_tasks=BODIES,
            max_concurrent_activities=self._concurrency,
            sticky_queue_schedule_to_start_timeout=TASK_TIMEOUT,
            graceful_shutdown_timeout=dt.timedelta(seconds=self._grace_s),
        )
        self._worker = worker
        self._running = asyncio.ensure_future(worker.run())
        self._running.add_done_callback(ended)

    def _id(self, key: str) -> str:
        return f"{self._queue}/{key}"

    async def _forgotten(self, key: str) -> None:
        try:
            await self._connection.client.get_schedule_handle(self._id(key)).delete()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def _handle(self, key: str, doing: Any) -> None:
        await doing(self._connection.client.get_workflow_handle(self._id(key)))

    def _found(self, row: WorkflowExecution) -> Found:
        key, workflow = row.id.removeprefix(self._id("")), row.workflow_type.removeprefix(TYPE)
        status = STATUS.get(row.status, "running")
        return Found(key, workflow, status, row.start_time)

    async def _with_outcome(self, handle: WorkflowHandle[Any, Any], found: Found) -> Found:
        """The same, with what came of it."""
        if found.status not in {"done", "failed"}:
            return found
        outcome, ended_by = "", ""
        try:
            outcome = str(await handle.result(follow_runs=False))
        except WorkflowFailureError as failure:
            error = failure.cause
            if isinstance(error, ApplicationError) and error.type == "Failed":
                outcome = error.message
            else:
                ended_by = type(error).__name__
        return Found(found.key, found.workflow, found.status, found.created_at, outcome, ended_by)


def ended(running: asyncio.Future[None]) -> None:
    """Say that a worker has ended which nobody has stopped."""
    if not running.cancelled() and (error := running.exception()) is not None:
        LOG.error("the workflow engine has stopped: %s", type(error).__name__)


def seconds(given: float | None) -> dt.timedelta | None:
    """A time as Temporal takes it."""
    return None if given is None else dt.timedelta(seconds=given)


def fairness(tenant: str) -> str:
    """The key of a tenant's turns."""
    if len(tenant) <= LONGEST_FAIRNESS_KEY:
        return tenant
    return hashlib.blake2b(tenant.encode(), digest_size=LONGEST_FAIRNESS_KEY // 2).hexdigest()


def refused(error: WorkError, status: RPCStatusCode) -> bool:
    """Whether the server has refused something so."""
    cause = error.__cause__
    return isinstance(cause, RPCError) and cause.status is status
