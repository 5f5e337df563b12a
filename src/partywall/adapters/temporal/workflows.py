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
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.client import (
    Client,
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
    from collections.abc import Coroutine, Sequence

    from sqlalchemy import URL
    from temporalio.client import WorkflowExecution, WorkflowHandle

    from partywall.runtime.workflows.hosting import Host
    from partywall.runtime.workflows.values import Schedule as Kept
    from partywall.runtime.workflows.values import Status, Workflow

    T = TypeVar("T")

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
        self._target = target
        self._namespace = namespace
        self._queue = queue
        self._concurrency = concurrency
        self._heartbeat_s = heartbeat_s
        self._suspended_s = suspended_s
        self._patience_s = patience_s
        self._grace_s = grace_s
        self._options = options
        self._opening = threading.RLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: Client | None = None
        self._worker: Worker | None = None
        self._workflow_thread: ThreadPoolExecutor | None = None

    def launch(self, host: Host, application: Sequence[URL]) -> None:
        """Begin to run what was started, here and by others."""
        del application  # its logins are none of this server's
        with self._opening:
            if self._worker is not None:
                raise ConfigurationError("these workflows were launched already: launch them once")
            self._do(self._work(host))

    def start(self, place: Place, workflow: Workflow, sealed: str, delay_s: float) -> None:
        """Start an execution, durably once this returns; nothing for one that is there."""

        async def starting() -> None:
            try:
                await self._connected().start_workflow(
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

        self._do(starting())

    def find(self, place: Place) -> Found | None:
        """An execution, by its key alone."""

        async def finding() -> Found | None:
            handle = self._connected().get_workflow_handle(self._id(place.key))
            try:
                described = await handle.describe()
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return None
                raise
            if not described.workflow_type.startswith(TYPE):
                return None
            return await self._with_outcome(handle, self._found(described))

        return self._do(finding())

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
            rows = self._connected().list_workflows(query, limit=limit)
            return [self._found(each) async for each in rows]

        return self._do(listing())

    def cancel(self, place: Place) -> None:
        """End an execution before its next step."""
        self._do(self._handle(place.key, lambda handle: handle.cancel()))

    def signal(self, place: Place, name: str, sealed: str) -> None:
        """Tell an execution something; it may begin to wait for it later."""
        told = "partywall.tenant.signal"
        self._do(self._handle(place.key, lambda handle: handle.signal(told, args=[name, sealed])))

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
            client = self._connected()
            try:
                await client.create_schedule(self._id(key), made, memo=memo)
            except ScheduleAlreadyRunningError:
                await client.get_schedule_handle(self._id(key)).delete()
                await client.create_schedule(self._id(key), made, memo=memo)

        try:
            self._do(keeping())
        except WorkError as error:
            if refused(error, RPCStatusCode.INVALID_ARGUMENT):
                raise ConfigurationError(f"{schedule.cron!r} is no cron") from error
            raise

    def schedules(self, tenant: str) -> list[tuple[str, str]]:
        """The keys of a tenant's schedules, and what was sealed with them."""
        begin = self._id(prefix(tenant))
        query = f'ScheduleId STARTS_WITH "{begin}"'

        async def listing() -> list[tuple[str, str]]:
            rows = await self._connected().list_schedules(query)
            return [
                (each.id.removeprefix(self._id("")), str(await each.memo_value("sealed", "")))
                async for each in rows
                if each.id.startswith(begin)
            ]

        return self._do(listing())

    def unschedule(self, tenant: str, name: str) -> None:
        """Forget a schedule; nothing where there is none."""

        async def forgetting() -> None:
            handle = self._connected().get_schedule_handle(self._id(prefix(tenant) + name))
            try:
                await handle.delete()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise

        self._do(forgetting())

    def fire(self, tenant: str, name: str) -> bool:
        """Let a schedule do now what it does when it is due; False where there is none."""

        async def firing() -> bool:
            handle = self._connected().get_schedule_handle(self._id(prefix(tenant) + name))
            try:
                await handle.trigger()
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return False
                raise
            return True

        return self._do(firing())

    def close(self) -> None:
        """Stop running when the steps that are being taken have ended; the rest stays."""
        with self._opening:
            thread, loop, worker = self._thread, self._loop, self._worker
            if thread is None or loop is None:
                return
            if worker is not None:
                asyncio.run_coroutine_threadsafe(worker.shutdown(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            if self._workflow_thread is not None:
                self._workflow_thread.shutdown()
            self._thread = self._loop = self._client = self._worker = None
            self._workflow_thread = None

    async def _work(self, host: Host) -> None:
        settled = (host, self._queue, self._heartbeat_s)
        self._workflow_thread = ThreadPoolExecutor(
            1, "partywall-workflows", initializer=settle, initargs=settled
        )
        activities = Activities(host, self._heartbeat_s, self._suspended_s)
        worker = Worker(
            self._connected(),
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

    def _do(self, doing: Coroutine[Any, Any, T]) -> T:
        """Do something in the loop of this engine, which is opened for the first one.

        Raises:
            WorkError: when the server is down or refuses; it says no more than how.
        """
        try:
            with self._opening:
                loop = self._loop or self._opened()
            asked = asyncio.run_coroutine_threadsafe(doing, loop)
        except BaseException:
            doing.close()
            raise
        try:
            return asked.result(self._patience_s)
        except (RPCError, RuntimeError, TimeoutError) as error:
            asked.cancel()
            raise WorkError(
                f"the Temporal server at {self._target} does not answer, or not so "
                f"({type(error).__name__})"
            ) from error

    def _opened(self) -> asyncio.AbstractEventLoop:
        """A thread with a loop, and in it a client."""
        ready: Future[Client] = Future()
        loop = asyncio.new_event_loop()
        threads = ThreadPoolExecutor(self._concurrency + 2, "partywall-step")
        loop.set_default_executor(threads)

        async def connecting() -> None:
            try:
                ready.set_result(
                    await Client.connect(self._target, namespace=self._namespace, **self._options)
                )
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                ready.set_exception(error)

        def living() -> None:
            asyncio.set_event_loop(loop)
            task = loop.create_task(connecting())
            loop.run_forever()
            task.cancel()
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

        thread = threading.Thread(target=living, name="partywall workflows", daemon=True)
        thread.start()
        try:
            self._client = ready.result(self._patience_s)
        except Exception as error:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            raise WorkError(
                f"the Temporal server at {self._target} could not be reached, or has no namespace "
                f"{self._namespace!r} ({type(error).__name__})"
            ) from error
        self._loop, self._thread = loop, thread
        return loop

    def _connected(self) -> Client:
        assert self._client is not None  # noqa: S101 - there is a loop only when there is one
        return self._client

    def _id(self, key: str) -> str:
        return f"{self._queue}/{key}"

    async def _handle(self, key: str, doing: Any) -> None:
        await doing(self._connected().get_workflow_handle(self._id(key)))

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
