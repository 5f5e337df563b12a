"""`tenancy.workflows`: what an application writes, starts and reads workflows with."""

from __future__ import annotations

import asyncio
import datetime as dt
import inspect
import json
import time
import uuid
from typing import TYPE_CHECKING, Any, TypeVar, overload
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from partywall.context import ID
from partywall.errors import (
    ConfigurationError,
    ExecutionFailed,
    ExecutionPending,
    UnknownExecution,
    WorkflowError,
)
from partywall.runtime.workflows.hosting import Host
from partywall.runtime.workflows.values import (
    Execution,
    Place,
    Schedule,
    Step,
    Workflow,
    named,
    prefix,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import URL

    from partywall.context import TenantContext
    from partywall.runtime.directory import Directory
    from partywall.runtime.workflows.engine import Engine, Found

    Body = TypeVar("Body", bound=Callable[..., Any])

FIRST_LOOK_S, LAST_LOOK_S = 0.02, 0.5
CRON_FIELDS = 5
SUMMARY = {"cancelled": "was cancelled", "timed_out": "took longer than it may"}


class TenantWorkflows:
    """Durable workflows, each execution of which belongs to one tenant.

    Declare steps and workflows first, then `launch` in the processes that are to run them; any
    process may start and read them. Every method is for one tenant: what belongs to another one
    answers as what does not exist.

    Args:
        engine: keeps and runs them.
        admit: raises for a context that may not be entered.
        directory: asked again before a body runs, and before each step.
        application: the databases of the tenants, with the application's own login.
    """

    def __init__(
        self,
        engine: Engine,
        admit: Callable[[TenantContext], object],
        directory: Directory | None = None,
        application: Sequence[URL] = (),
    ) -> None:
        self._application = tuple(application)
        self._engine = engine
        self._seal = engine.seal
        self._admit = admit
        self._directory = directory
        self._workflows: dict[str, Workflow] = {}
        self._names: dict[Any, str] = {}
        self._steps: dict[Any, Step] = {}

    @overload
    def workflow(self, body: Body, *, name: str = "", timeout_s: float | None = None) -> Body: ...

    @overload
    def workflow(
        self, *, name: str = "", timeout_s: float | None = None
    ) -> Callable[[Body], Body]: ...

    def workflow(self, body: Any = None, *, name: str = "", timeout_s: float | None = None) -> Any:
        """Declare a workflow: a `def` or `async def` of a run and an argument.

        Args:
            body: given `Run` or `AsyncRun`, and the argument of `start`; it returns JSON.
            name: by which engines know it, for as long as one runs; else the function's.
            timeout_s: after so long, once it has begun, an execution is ended.

        Raises:
            ConfigurationError: when another one has this name.
        """

        def declared(body: Body) -> Body:
            given = named("workflow", name or body.__name__)
            if given in self._workflows:
                raise ConfigurationError(f"two workflows are called {given!r}: give one a name=")
            self._workflows[given] = Workflow(given, body, timeout_s)
            self._names[body] = given
            return body

        return declared if body is None else declared(body)

    @overload
    def step(
        self,
        function: Body,
        *,
        name: str = "",
        attempts: int = 3,
        pause_s: float = 1.0,
        timeout_s: float | None = None,
    ) -> Body: ...

    @overload
    def step(
        self,
        *,
        name: str = "",
        attempts: int = 3,
        pause_s: float = 1.0,
        timeout_s: float | None = None,
    ) -> Callable[[Body], Body]: ...

    def step(
        self,
        function: Any = None,
        *,
        name: str = "",
        attempts: int = 3,
        pause_s: float = 1.0,
        timeout_s: float | None = None,
    ) -> Any:
        """Declare a step: a function of a `TenantContext` and of what `run.step` is given.

        Args:
            function: a `def` or an `async def`; it returns JSON.
            name: by which engines know it; else the function's.
            attempts: how often it is tried before it has failed.
            pause_s: between the first two attempts; it doubles, up to a minute.
            timeout_s: of one attempt. Only of an `async def`: nothing can stop a thread.

        Raises:
            ConfigurationError: when another one has this name, or can't have this time-out.
        """

        def declared(function: Body) -> Body:
            given = named("step", name or function.__name__)
            if any(given == step.name for step in self._steps.values()):
                raise ConfigurationError(f"two steps are called {given!r}: give one a name=")
            if timeout_s is not None and not inspect.iscoroutinefunction(function):
                raise ConfigurationError(
                    f"the step {given!r} is a def, which nothing can stop: make it an async def, "
                    "or give what it calls a time-out"
                )
            self._steps[function] = Step(given, function, max(attempts, 1), pause_s, timeout_s)
            return function

        return declared if function is None else declared(function)

    def launch(self) -> None:
        """Begin to run what was started, and take up what a process left that died.

        Raises:
            ConfigurationError: when the engine can't work here, or the application's own login
                could read what it keeps.
            WorkError: when its database or its server can't be reached.
        """
        host = Host(self._seal, self._directory, self._workflows, self._steps, self._fired)
        self._engine.launch(host, self._application)

    def start(
        self,
        context: TenantContext,
        workflow: Callable[..., Any] | str,
        argument: Any = None,
        *,
        key: str | None = None,
        delay_s: float = 0.0,
    ) -> Execution:
        """Start a workflow for a tenant, durably once this returns.

        Args:
            context: the tenant, and who starts it: what the body and its steps get.
            workflow: the function, or its name, which is enough where it is not declared.
            argument: JSON.
            key: with the same key, the tenant's same workflow is started once; what was started
                with it before is returned, whatever its argument was.
            delay_s: when to begin.

        Raises:
            MissingTenant, UnknownTenant, InactiveTenant, DeletedTenant: as a session.
        """
        self._admit(context)
        place, sealed, known = self._ordered(context, workflow, argument, key)
        self._engine.start(place, known, sealed, delay_s)
        found = self._engine.find(place) if key is not None else None
        if found is not None:
            return execution(found)
        return Execution(place.id, place.workflow, "running", dt.datetime.now(dt.UTC))

    def execution(self, context: TenantContext, id_: str) -> Execution:
        """One of the tenant's executions.

        Raises:
            UnknownExecution: when it has none by this id.
        """
        self._admit(context)
        return execution(self._found(context, id_))

    def executions(
        self,
        context: TenantContext,
        workflow: Callable[..., Any] | str | None = None,
        *,
        before: dt.datetime | None = None,
        limit: int = 100,
    ) -> list[Execution]:
        """The tenant's executions and nobody else's, the newest first.

        Args:
            context: the tenant.
            workflow: only this one's.
            before: only those that were started before; the last one's `created_at` for the next
                page.
            limit: how many.
        """
        self._admit(context)
        name = None if workflow is None else self._name(workflow)
        tenant = context.tenant_id
        found = self._engine.executions(tenant, name, before, limit)
        return [execution(each) for each in found if each.key.startswith(prefix(tenant))]

    def result(self, context: TenantContext, id_: str, *, timeout_s: float | None = None) -> Any:
        """What an execution has returned, once it has.

        Args:
            context: the tenant.
            id_: of the execution.
            timeout_s: how long to wait; None: as long as it takes.

        Raises:
            UnknownExecution: when the tenant has none by this id.
            ExecutionFailed: when it failed, was cancelled, or took too long.
            ExecutionPending: when it has not ended in time.
            ForgedExecution: when the engine keeps another result than was put there.
        """
        self._admit(context)
        for pause_s in looks(timeout_s):
            found = self._found(context, id_)
            if found.ended:
                return self._outcome(found)
            time.sleep(pause_s)
        raise pending()

    def cancel(self, context: TenantContext, id_: str) -> None:
        """End an execution before its next step; nothing for one that has ended.

        Raises:
            UnknownExecution: when the tenant has none by this id.
        """
        self._admit(context)
        found = self._found(context, id_)
        if not found.ended:
            self._engine.cancel(Place.at(found.key, found.workflow))

    def signal(self, context: TenantContext, id_: str, name: str, value: Any = None) -> None:
        """Tell an execution something, for which it waits now or later (`run.wait`).

        Raises:
            UnknownExecution: when the tenant has none by this id.
            WorkflowError: when it has ended.
        """
        self._admit(context)
        found = self._found(context, id_)
        if found.ended:
            raise WorkflowError("this execution has ended: nothing in it can be told any more")
        place = Place.at(found.key, found.workflow)
        bound = place.bound("signal", named("signal", name))
        self._engine.signal(place, name, self._seal.seal(written(value), bound))

    def schedule(
        self,
        context: TenantContext,
        workflow: Callable[..., Any] | str,
        cron: str,
        argument: Any = None,
        *,
        name: str = "",
        timezone: str = "UTC",
    ) -> Schedule:
        """Start a workflow for the tenant whenever *cron* says, instead of what had this name.

        A firing for which the tenant may not be entered is passed over.

        Args:
            context: the tenant, and as whom it is started.
            workflow: the function, or its name.
            cron: minute, hour, day of the month, month, day of the week.
            argument: JSON.
            name: of the schedule, unique in the tenant; else the workflow's.
            timezone: in which *cron* is read.

        Raises:
            ConfigurationError: when *cron* or *timezone* is none.
        """
        self._admit(context)
        known = self._name(workflow)
        if len(cron.split()) != CRON_FIELDS:
            raise ConfigurationError(
                "a cron has five fields: minute, hour, day of the month, month, day of the week"
            )
        try:
            ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ConfigurationError(f"{timezone!r} is no time zone: say Europe/Berlin") from error
        made = Schedule(named("schedule", name or known), known, cron, timezone)
        text = {"workflow": known, "cron": cron, "timezone": timezone, "argument": argument}
        sealed = self._seal.seal(
            written({**text, "context": context.to_json()}), bound_to(context, made.name)
        )
        self._engine.schedule(context.tenant_id, made, sealed)
        return made

    def schedules(self, context: TenantContext) -> list[Schedule]:
        """The tenant's schedules and nobody else's, by name.

        Raises:
            ForgedExecution: when the engine keeps another one than was put there.
        """
        self._admit(context)
        tenant = context.tenant_id
        return sorted(
            (
                self._scheduled(context, key.removeprefix(prefix(tenant)), sealed)
                for key, sealed in self._engine.schedules(tenant)
                if key.startswith(prefix(tenant))
            ),
            key=lambda each: each.name,
        )

    def unschedule(self, context: TenantContext, name: str) -> None:
        """Forget a schedule of the tenant; nothing where it has none of this name."""
        self._admit(context)
        self._engine.unschedule(context.tenant_id, named("schedule", name))

    def fire(self, context: TenantContext, name: str) -> None:
        """Let a schedule do now what it does when it is due.

        Raises:
            UnknownExecution: when the tenant has no schedule of this name.
        """
        self._admit(context)
        if not self._engine.fire(context.tenant_id, named("schedule", name)):
            raise UnknownExecution("there is no schedule by this name")

    def close(self) -> None:
        """Stop running; what has not ended stays, for the next one to take up."""
        self._engine.close()

    async def async_start(
        self,
        context: TenantContext,
        workflow: Callable[..., Any] | str,
        argument: Any = None,
        *,
        key: str | None = None,
        delay_s: float = 0.0,
    ) -> Execution:
        """As `start`, for async code."""
        return await asyncio.to_thread(
            self.start, context, workflow, argument, key=key, delay_s=delay_s
        )

    async def async_execution(self, context: TenantContext, id_: str) -> Execution:
        """As `execution`, for async code."""
        return await asyncio.to_thread(self.execution, context, id_)

    async def async_executions(
        self,
        context: TenantContext,
        workflow: Callable[..., Any] | str | None = None,
        *,
        before: dt.datetime | None = None,
        limit: int = 100,
    ) -> list[Execution]:
        """As `executions`, for async code."""
        return await asyncio.to_thread(
            self.executions, context, workflow, before=before, limit=limit
        )

    async def async_result(
        self, context: TenantContext, id_: str, *, timeout_s: float | None = None
    ) -> Any:
        """As `result`, for async code; no thread waits."""
        await asyncio.to_thread(self._admit, context)
        for pause_s in looks(timeout_s):
            found = await asyncio.to_thread(self._found, context, id_)
            if found.ended:
                return self._outcome(found)
            await asyncio.sleep(pause_s)
        raise pending()

    async def async_cancel(self, context: TenantContext, id_: str) -> None:
        """As `cancel`, for async code."""
        await asyncio.to_thread(self.cancel, context, id_)

    async def async_signal(
        self, context: TenantContext, id_: str, name: str, value: Any = None
    ) -> None:
        """As `signal`, for async code."""
        await asyncio.to_thread(self.signal, context, id_, name, value)

    def _name(self, workflow: Callable[..., Any] | str) -> str:
        if isinstance(workflow, str):
            return named("workflow", workflow)
        if workflow not in self._names:
            raise ConfigurationError(
                f"{getattr(workflow, '__qualname__', 'this')} is no workflow: put "
                "@tenancy.workflows.workflow above its definition"
            )
        return self._names[workflow]

    def _ordered(
        self,
        context: TenantContext,
        workflow: Callable[..., Any] | str,
        argument: Any,
        key: str | None,
    ) -> tuple[Place, str, Workflow]:
        name = self._name(workflow)
        tenant = context.tenant_id
        id_ = uuid.uuid4().hex if key is None else self._seal.digest(("key", tenant, name, key))
        place = Place(tenant, name, id_)
        text = written({"context": context.to_json(), "argument": argument})
        known = self._workflows.get(name) or Workflow(name, elsewhere, None)
        return place, self._seal.seal(text, place.bound("input")), known

    def _fired(self, context: TenantContext, workflow: str, argument: Any, key: str) -> None:
        self.start(context, workflow, argument, key=key)

    def _found(self, context: TenantContext, id_: str) -> Found:
        """The execution of this id in this tenant: the engine is asked for no other tenant's."""
        place = Place(context.tenant_id, "", id_)
        found = self._engine.find(place) if ID.match(str(id_)) else None
        if found is None or found.key != place.key:
            raise UnknownExecution("there is no execution by this id")
        return found

    def _outcome(self, found: Found) -> Any:
        place = Place.at(found.key, found.workflow)
        if found.status == "done":
            return json.loads(self._seal.open(found.outcome, place.bound("result")))
        if found.status != "failed":
            raise ExecutionFailed(f"the execution {SUMMARY[found.status]}", status=found.status)
        if found.ended_by:
            raise ExecutionFailed(
                "the workflow engine has ended the execution", kind=found.ended_by
            )
        failure = json.loads(self._seal.open(found.outcome, place.bound("failure")))
        raise ExecutionFailed(failure["message"], kind=failure["kind"])

    def _scheduled(self, context: TenantContext, name: str, sealed: str) -> Schedule:
        kept = json.loads(self._seal.open(sealed, bound_to(context, name)))
        return Schedule(name, kept["workflow"], kept["cron"], kept["timezone"])


def execution(found: Found) -> Execution:
    """What an application sees of an execution."""
    id_ = Place.at(found.key, found.workflow).id
    return Execution(id_, found.workflow, found.status, found.created_at)


def bound_to(context: TenantContext, name: str) -> tuple[str, str, str]:
    """What a schedule is sealed to."""
    return ("schedule", context.tenant_id, name)


def looks(timeout_s: float | None) -> Iterator[float]:
    """How long to pause after each look at something that one waits for, until the time is up."""
    until = None if timeout_s is None else time.monotonic() + timeout_s
    pause_s = FIRST_LOOK_S
    while True:
        left = pause_s if until is None else until - time.monotonic()
        yield max(min(pause_s, left), 0.0)
        if left <= 0:
            return
        pause_s = min(pause_s * 1.5, LAST_LOOK_S)


def pending() -> ExecutionPending:
    """That one has waited long enough."""
    return ExecutionPending("the execution has not ended yet: it goes on, ask again")


def elsewhere(*_: object) -> None:
    """The body of a workflow that only other processes run."""
    raise ConfigurationError("this workflow is declared in another process")
