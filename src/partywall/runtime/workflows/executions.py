"""Executions: started for a tenant, and read, told and ended by that tenant alone."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from partywall.context import ID
from partywall.errors import (
    ConfigurationError,
    ExecutionFailed,
    ExecutionPending,
    UnknownExecution,
    WorkflowError,
)
from partywall.runtime.waiting import pauses
from partywall.runtime.workflows.declaring import Declaring
from partywall.runtime.workflows.values import Execution, Place, Workflow, named, prefix, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.context import TenantContext
    from partywall.runtime.workflows.engine import Engine, Found
    from partywall.runtime.workflows.sealing import Seal

SUMMARY = {"cancelled": "was cancelled", "timed_out": "took longer than it may"}


class Executions(Declaring):
    """Starts executions, and answers for each tenant about its own."""

    _engine: Engine
    _seal: Seal
    _admit: Callable[[TenantContext], object]

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
        for pause_s in pauses(timeout_s):
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
        for pause_s in pauses(timeout_s):
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


def execution(found: Found) -> Execution:
    """What an application sees of an execution."""
    id_ = Place.at(found.key, found.workflow).id
    return Execution(id_, found.workflow, found.status, found.created_at)


def pending() -> ExecutionPending:
    """That one has waited long enough."""
    return ExecutionPending("the execution has not ended yet: it goes on, ask again")


def elsewhere(*_: object) -> None:
    """The body of a workflow that only other processes run."""
    raise ConfigurationError("this workflow is declared in another process")
