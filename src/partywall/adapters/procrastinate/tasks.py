"""Tasks of tenants on procrastinate: `TenantTasks`."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import time
import uuid
from typing import TYPE_CHECKING, Any, overload

from procrastinate.exceptions import AlreadyEnqueued, JobAborted, UniqueViolation

from partywall.adapters.executions import Execution, Gate, Limits, given, pending, text_of, unknown
from partywall.adapters.procrastinate.fetching import ALIVE_S, FairJobManager
from partywall.adapters.procrastinate.job import (
    UNENDED,
    composed,
    genuine,
    opened,
    outcome,
    written,
)
from partywall.adapters.procrastinate.schema import (
    KEEP,
    NEWEST,
    ONE,
    RECOVER,
    SCHEMA,
    WAITING,
)
from partywall.adapters.procrastinate.task import TenantTask
from partywall.adapters.procrastinate.vetting import Vetting, logins_of
from partywall.errors import (
    ConfigurationError,
    MissingTenant,
    NotAuthenticated,
    QuotaExceeded,
    TenantError,
)
from partywall.runtime.waiting import pauses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from procrastinate import App, JobContext
    from procrastinate.jobs import Job

    from partywall.adapters.envelope import Envelopes
    from partywall.context import TenantContext
    from partywall.runtime.directory import Directory
    from partywall.runtime.tenancy import Tenancy

LOG = logging.getLogger("partywall.tasks")

PERIODIC = uuid.UUID("6b1f6a53-93a5-4f1c-9b26-4f5f0f7f3f0d")
"""The namespace of ids of periodic executions: one for each task, tenant and tick."""


class TenantTasks:
    """The tasks of a procrastinate application that work for tenants.

    Args:
        app: the application. Its connector has a login and a schema of its own.
        envelopes: with what contexts are sealed. Processes that start tasks and workers need the
            same keys.
        tenancy: whose directory says which tenants may be entered, and whose login may not read
            procrastinate's tables.
        directory: the same, where there is no `Tenancy`.
        limits: what one tenant may have of the workers.
        logins: further logins that may not read them: tenants' own, of other tools.
        alive_s: how long after its last heartbeat a dead worker counts as busy.
    """

    def __init__(
        self,
        app: App,
        envelopes: Envelopes,
        *,
        tenancy: Tenancy | None = None,
        directory: Directory | None = None,
        limits: Limits | None = None,
        logins: Iterable[str] = (),
        alive_s: float = ALIVE_S,
    ) -> None:
        self.app = app
        self._envelopes = envelopes
        self._gate = Gate(tenancy, directory)
        self._limits = limits or Limits()
        self._alive_s = alive_s
        own = logins_of(tenancy) if tenancy is not None else []
        self._vetting = Vetting(app, [*logins, *own])
        app.job_manager = FairJobManager(app.connector, self._limits, self.async_check, alive_s)

    def apply_schema(self) -> None:
        """Add to procrastinate's tables what this needs; again, or with a newer release, as well.

        Run it as their owner, after procrastinate's own `apply_schema`.
        """
        self._sync.execute_query(SCHEMA)

    async def async_apply_schema(self) -> None:
        """As `apply_schema`, for async code."""
        await self.app.connector.execute_query_async(SCHEMA)

    def check(self) -> None:
        """Ask the server whether a login of the tenants' sessions could read or write jobs.

        It is asked before the first start of a process, and before a worker's first job.

        Raises:
            UnsafeLogin: naming who can, and the statement that closes it.
            ConfigurationError: where the tables are missing.
        """
        self._vetting.check()

    async def async_check(self) -> None:
        """As `check`, for async code."""
        await self._vetting.async_check()

    @overload
    def task(self, function: Callable[..., Any], /) -> TenantTask: ...

    @overload
    def task(self, /, **options: Any) -> Callable[[Callable[..., Any]], TenantTask]: ...

    def task(self, function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
        """Make a task of a function, sync or async, whose first parameter is a `TenantContext`.

        Args:
            function: with `pass_context=True` procrastinate's own context of the job comes second.
            options: as procrastinate's `app.task`. Locks are the tenant's own.

        Raises:
            ConfigurationError: when the function has no such parameter.
        """
        if function is None:
            return functools.partial(self._task, **options)
        return self._task(function, **options)

    def _task(self, function: Callable[..., Any], **options: Any) -> TenantTask:
        passing = bool(options.pop("pass_context", False))
        if len(inspect.signature(function).parameters) < 1 + passing:
            raise ConfigurationError(
                f"{function.__name__} takes no context: its first parameter is a TenantContext"
            )
        asynchronous = inspect.iscoroutinefunction(function)
        body = (
            self._async_body(function, passing) if asynchronous else self._body(function, passing)
        )
        functools.update_wrapper(body, function)
        return TenantTask(self.app.task(pass_context=True, **options)(body), function)

    def _body(self, function: Callable[..., Any], passing: bool) -> Callable[..., Any]:  # noqa: FBT001
        def body(job: JobContext, **args: Any) -> Any:
            context, kwargs = self._verified(job.job, args)
            try:
                self._gate.admit(context)
                value = function(context, *([job] if passing else []), **kwargs)
                kept = {"value": written(value), "reason": None}
            except Exception as error:
                self._sync.execute_query(KEEP, job=job.job.id, value=None, reason=text_of(error))
                raise
            self._sync.execute_query(KEEP, job=job.job.id, **kept)
            return None

        return body

    def _async_body(self, function: Callable[..., Any], passing: bool) -> Callable[..., Any]:  # noqa: FBT001
        async def body(job: JobContext, **args: Any) -> Any:
            context, kwargs = self._verified(job.job, args)
            keep = functools.partial(self.app.connector.execute_query_async, KEEP, job=job.job.id)
            try:
                await self._gate.async_admit(context)
                value = await function(context, *([job] if passing else []), **kwargs)
                kept = {"value": written(value), "reason": None}
            except Exception as error:
                await keep(value=None, reason=text_of(error))
                raise
            await keep(**kept)

        return body

    def _verified(self, job: Job, args: Mapping[str, Any]) -> tuple[TenantContext, dict[str, Any]]:
        """The context and the arguments of a job.

        Raises:
            JobAborted: when nothing proves that we wrote it; it is not tried again.
        """
        try:
            return opened(self._envelopes, job.task_name, args)
        except (MissingTenant, NotAuthenticated) as error:
            LOG.error("a job for %s was refused (%s): %s", job.task_name, job.id, error)  # noqa: TRY400 - the message says all
            raise JobAborted(str(error)) from error

    def start(self, context: TenantContext, task: TenantTask, **kwargs: Any) -> Execution:
        """Start a task for a tenant.

        Args:
            context: who acts for which tenant.
            task: a task, or one with options: `task.configure(lock="ledger")`.
            kwargs: the task's, after its context.

        Raises:
            MissingTenant: without a context.
            UnknownTenant, InactiveTenant, DeletedTenant: when it may not be entered.
            QuotaExceeded: when too many of the tenant's are waiting.
            procrastinate.exceptions.AlreadyEnqueued: when the tenant has one waiting with the same
                `queueing_lock`.
        """
        self._gate.admit(given(context))
        self.check()
        return self._started(context, task, kwargs)

    def _started(
        self, context: TenantContext, task: TenantTask, kwargs: Mapping[str, Any], id_: str = ""
    ) -> Execution:
        tenant = context.tenant_id
        if most := self._limits.of(tenant).waiting:
            refuse_over(most, self._sync.execute_query_one(WAITING, tenant=tenant, most=most))
        execution_id, args = composed(self._envelopes, context, task.name, kwargs, id_ or None)
        task.task.configure(task_kwargs=args, **task.terms(tenant)).defer()
        return Execution(execution_id, task.name)

    async def async_start(
        self, context: TenantContext, task: TenantTask, **kwargs: Any
    ) -> Execution:
        """As `start`, for async code."""
        await self._gate.async_admit(given(context))
        await self.async_check()
        tenant, connector = context.tenant_id, self.app.connector
        if most := self._limits.of(tenant).waiting:
            asked = connector.execute_query_one_async(WAITING, tenant=tenant, most=most)
            refuse_over(most, await asked)
        execution_id, args = composed(self._envelopes, context, task.name, kwargs)
        await task.task.configure(task_kwargs=args, **task.terms(tenant)).defer_async()
        return Execution(execution_id, task.name)

    def periodic(
        self, *, cron: str, contexts: Callable[[], Iterable[TenantContext]]
    ) -> Callable[[TenantTask], TenantTask]:
        """Start a task for each tenant at each tick, with the tick's `timestamp`, once.

        Args:
            cron: as procrastinate's.
            contexts: asked at each tick. A tenant that may not be entered is passed over, as is
                one that still has one waiting with the task's `queueing_lock`.
        """

        def declared(task: TenantTask) -> TenantTask:
            def tick(timestamp: int) -> None:
                self.check()
                for context in contexts():
                    self._tick(context, task, timestamp)

            name = f"partywall:periodic:{task.name}"
            self.app.periodic(cron=cron)(
                self.app.task(name=name, queue=task.task.queue, queueing_lock=name, retry=3)(tick)
            )
            return task

        return declared

    def _tick(self, context: TenantContext, task: TenantTask, timestamp: int) -> None:
        once = str(uuid.uuid5(PERIODIC, f"{task.name}/{context.tenant_id}/{timestamp}"))
        try:
            self._gate.admit(given(context))
            self._started(context, task, {"timestamp": timestamp}, once)
        except (UniqueViolation, AlreadyEnqueued):
            LOG.debug("%s was started for this tick, or still waits since the last", task.name)
        except (TenantError, QuotaExceeded) as error:
            LOG.warning("%s is passed over: %s", task.name, error)

    def executions(self, context: TenantContext, *, most: int = 100) -> list[Execution]:
        """The tenant's executions, the newest first."""
        rows = self._sync.execute_query_all(NEWEST, tenant=given(context).tenant_id, most=most)
        found = [genuine(self._envelopes, context, row) for row in rows]
        return [execution for execution in found if execution is not None]

    async def async_executions(self, context: TenantContext, *, most: int = 100) -> list[Execution]:
        """As `executions`, for async code."""
        rows = await self.app.connector.execute_query_all_async(
            NEWEST, tenant=given(context).tenant_id, most=most
        )
        found = [genuine(self._envelopes, context, row) for row in rows]
        return [execution for execution in found if execution is not None]

    def result(self, context: TenantContext, execution_id: str, *, timeout_s: float = 60.0) -> Any:
        """What an execution of the tenant returned.

        Raises:
            UnknownExecution: when the tenant has none by this id.
            ExecutionFailed: when it failed, or was cancelled.
            ExecutionPending: when it has not ended in time.
        """
        for pause_s in pauses(timeout_s):
            value = outcome(*self._one(context, execution_id))
            if value is not UNENDED:
                return value
            time.sleep(pause_s)
        raise pending("the execution", timeout_s)

    async def async_result(
        self, context: TenantContext, execution_id: str, *, timeout_s: float = 60.0
    ) -> Any:
        """As `result`, for async code."""
        for pause_s in pauses(timeout_s):
            value = outcome(*await self._async_one(context, execution_id))
            if value is not UNENDED:
                return value
            await asyncio.sleep(pause_s)
        raise pending("the execution", timeout_s)

    def cancel(self, context: TenantContext, execution_id: str) -> None:
        """Stop an execution of the tenant.

        One that waits never runs. An async one that runs is cancelled; a sync one has to ask
        procrastinate's `should_abort()` (`pass_context=True`).

        Raises:
            UnknownExecution: when the tenant has none by this id.
        """
        _, row = self._one(context, execution_id)
        self.app.job_manager.cancel_job_by_id(row["job_id"], abort=True)

    async def async_cancel(self, context: TenantContext, execution_id: str) -> None:
        """As `cancel`, for async code."""
        _, row = await self._async_one(context, execution_id)
        await self.app.job_manager.cancel_job_by_id_async(row["job_id"], abort=True)

    async def async_recover(self) -> int:
        """Put back what dead workers were doing; how many that were.

        Run it every minute, from one worker or all: procrastinate leaves such jobs as they are.
        """
        connector = self.app.connector
        row = await connector.execute_query_one_async(RECOVER, alive_s=self._alive_s)
        return int(row["recovered"])

    def _one(self, context: TenantContext, execution_id: str) -> tuple[Execution, dict[str, Any]]:
        tenant = given(context).tenant_id
        rows = self._sync.execute_query_all(ONE, tenant=tenant, id=execution_id)
        return self._own(context, rows)

    async def _async_one(
        self, context: TenantContext, execution_id: str
    ) -> tuple[Execution, dict[str, Any]]:
        tenant = given(context).tenant_id
        connector = self.app.connector
        rows = await connector.execute_query_all_async(ONE, tenant=tenant, id=execution_id)
        return self._own(context, rows)

    def _own(
        self, context: TenantContext, rows: list[dict[str, Any]]
    ) -> tuple[Execution, dict[str, Any]]:
        for row in rows:
            found = genuine(self._envelopes, context, row)
            if found is not None:
                return found, row
        raise unknown()

    @property
    def _sync(self) -> Any:
        return self.app.connector.get_sync_connector()


def refuse_over(most: int, counted: Mapping[str, Any]) -> None:
    """Refuse when as many wait as may.

    Raises:
        QuotaExceeded: then.
    """
    if counted["waiting"] >= most:
        raise QuotaExceeded(
            f"the tenant has {most} executions waiting, and may have no more", kind="tasks_waiting"
        )
