"""Tasks of tenants on Celery: `TenantTasks`."""

from __future__ import annotations

import functools
import inspect
import logging
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast, overload

from celery import Signature, group
from celery.exceptions import Ignore
from celery.exceptions import TimeoutError as TooLate
from celery.result import AsyncResult, GroupResult, allow_join_result
from celery.utils.functional import head_from_fun
from redis import Redis

from partywall.adapters.celery.canvas import (
    HEADER,
    Stamp,
    leaves,
    open_ended,
    tick,
)
from partywall.adapters.celery.line import Lines, Place
from partywall.adapters.celery.posting import Posting, own, seconds_until
from partywall.adapters.celery.records import Records
from partywall.adapters.celery.steward import steward
from partywall.adapters.celery.task import TenantTask, heard, passing
from partywall.adapters.executions import (
    ENDED,
    Execution,
    Gate,
    Limits,
    cancelled,
    failed,
    given,
    pending,
    unknown,
)
from partywall.errors import (
    ConfigurationError,
    MissingTenant,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from celery import Celery
    from celery.app.task import Context

    from partywall.adapters.envelope import Envelopes
    from partywall.adapters.executions import Status
    from partywall.context import TenantContext
    from partywall.runtime.directory import Directory
    from partywall.runtime.tenancy import Tenancy

LOG = logging.getLogger("partywall.tasks")

VISIBILITY_S = 3600
"""Kombu's own default for Redis."""

KEEP_S = 86_400
"""Celery's own default for results."""

STATES: dict[str, Status] = {"SUCCESS": "succeeded", "FAILURE": "failed", "REVOKED": "cancelled"}


class TenantTasks:
    """The tasks of a Celery application that work for tenants.

    Args:
        app: the application; its broker is a Redis.
        envelopes: with what contexts are sealed. Processes that start tasks, workers and beat need
            the same keys.
        tenancy: whose directory says which tenants may be entered.
        directory: the same, where there is no `Tenancy`.
        limits: what one tenant may have of the workers.
        redis: the broker's server; without it, a client of the `broker_url`.
        lease_s: how long after its last sign of life a dead worker counts as busy.

    Raises:
        ConfigurationError: where messages go through another broker, or in the old format.
    """

    def __init__(
        self,
        app: Celery,
        envelopes: Envelopes,
        *,
        tenancy: Tenancy | None = None,
        directory: Directory | None = None,
        limits: Limits | None = None,
        redis: Redis | None = None,
        lease_s: float = 30.0,
    ) -> None:
        self.app = app
        self.envelopes = envelopes
        self._gate = Gate(tenancy, directory)
        self._limits = limits or Limits()
        self._redis = redis
        self._lease_s = lease_s
        self.posting = Posting(self)
        app.steps["consumer"].add(steward(self, lease_s))

    @functools.cached_property
    def lines(self) -> Lines:
        """The tenants' lines; asked for first when the application has its configuration."""
        options = self.app.conf.broker_transport_options or {}
        return Lines(
            self._server,
            self._limits,
            prefix=options.get("global_keyprefix", ""),
            lease_s=self._lease_s,
            visibility_s=options.get("visibility_timeout", VISIBILITY_S),
        )

    @functools.cached_property
    def records(self) -> Records:
        """The tenants' executions."""
        expires = self.app.conf.result_expires
        seconds = expires.total_seconds() if isinstance(expires, timedelta) else expires
        return Records(self._server, int(seconds or KEEP_S))

    @functools.cached_property
    def _server(self) -> Redis:
        conf = self.app.conf
        url = str(conf.broker_write_url or conf.broker_url or "")
        if self._redis is None and not url.startswith(("redis://", "rediss://", "unix://")):
            raise ConfigurationError(
                "tenants wait in lines that are kept in the broker's Redis: set broker_url to a "
                "redis:// address, or pass TenantTasks(redis=…)"
            )
        if conf.worker_deduplicate_successful_tasks:
            raise ConfigurationError(
                "worker_deduplicate_successful_tasks publishes callbacks of messages that nobody "
                "has verified: leave it off"
            )
        if conf.task_protocol != 2 or conf.task_always_eager:  # noqa: PLR2004 - of the protocol
            raise ConfigurationError(
                "a tenant's task travels in a message of protocol 2: set task_protocol=2 and "
                "task_always_eager=False; call the task with a context to run it here and now"
            )
        return self._redis or Redis.from_url(url)

    @overload
    def task(self, function: Callable[..., Any], /) -> Any: ...

    @overload
    def task(self, /, **options: Any) -> Callable[[Callable[..., Any]], Any]: ...

    def task(self, function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
        """Make a task of a function whose first parameter is a `TenantContext`.

        Args:
            function: with `bind=True` the context comes after the task itself.
            options: as Celery's `app.task`.

        Raises:
            ConfigurationError: when the function has no such parameter.
        """
        if function is None:
            return functools.partial(self._task, **options)
        return self._task(function, **options)

    def _task(self, function: Callable[..., Any], **options: Any) -> Any:
        bound = bool(options.get("bind"))
        if len(inspect.signature(function).parameters) < 1 + bound:
            raise ConfigurationError(
                f"{function.__name__} takes no context: its first parameter is a TenantContext"
            )
        # Celery passes what it knows of a failure to an error callback whose header takes it, in
        # the worker and without a message; a partial one gets the id, in a message.
        before = (None,) * (1 + bound)
        header = functools.partial(head_from_fun(function), *before)
        named = {"tenants": self, "__header__": header}
        return self.app.task(base=TenantTask, **{**options, **named})(function)

    def signature(self, context: TenantContext, what: Any, *args: Any, **kwargs: Any) -> Signature:
        """A signature of the tenant, which its task may pass to `self.replace`.

        Args:
            context: who acts for which tenant.
            what: a task, with its arguments; or a signature, chain, group or chord of such.
            args: the task's, after its context.
            kwargs: the task's.
        """
        whole = self._stamped(given(context), what, args, kwargs)
        open_ended(whole)
        return whole

    def _stamped(self, context: TenantContext, what: Any, args: Any, kwargs: Any) -> Signature:
        whole = what if isinstance(what, Signature) else what.s(*args, **kwargs)

        def sealed(name: str, audience: str) -> str:
            if not isinstance(self.app.tasks.get(name), TenantTask):
                raise ConfigurationError(
                    f"{name} is no task of tenants: declare it with @tasks.task"
                )
            return self.sealed(context, audience)

        return Stamp(context.tenant_id, sealed)(whole, self.app)

    def start(self, context: TenantContext, what: Any, *args: Any, **kwargs: Any) -> Execution:
        """Start a task, or a whole canvas, for a tenant.

        Args:
            context: who acts for which tenant.
            what: a task, with its arguments; or a signature: `task.s(7).set(countdown=60)`, a
                chain, a group, a chord.
            args: the task's, after its context.
            kwargs: the task's.

        Returns:
            The execution; of a chain its last one, of a chord its body.

        Raises:
            MissingTenant: without a context.
            UnknownTenant, InactiveTenant, DeletedTenant: when it may not be entered.
            QuotaExceeded: when too many of the tenant's are waiting.
            ConfigurationError: for a task of no tenant, or what JSON can't say.
        """
        self._gate.admit(given(context))
        whole = self._stamped(context, what, args, kwargs)
        tenant = context.tenant_id
        steps = [(leaf["options"]["task_id"], leaf["task"]) for leaf in leaves(whole)]
        parts = [(own(tenant, full), name) for full, name in steps]
        self.records.open(tenant, parts, later_s=seconds_until(whole.options))
        self.posting.starting.update(full for full, _ in steps)
        try:
            result = whole.apply_async()
        except BaseException:
            for execution_id, _ in parts:
                self.records.close(tenant, execution_id)
            raise
        finally:
            self.posting.starting.difference_update(full for full, _ in steps)
        if isinstance(whole, group):
            result.save()
            ids = tuple(execution_id for execution_id, _ in parts)
            return Execution(own(tenant, result.id), "group", parts=ids)
        return Execution(own(tenant, result.id), parts[-1][1])

    def scheduled(
        self, context: TenantContext, task: Any, schedule: Any, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """An entry of `beat_schedule` for one tenant.

        Args:
            context: who acts for which tenant.
            task: what to start.
            schedule: as Celery's: seconds, a timedelta, a crontab.
            args: the task's, after its context.
            kwargs: the task's.
        """
        seal = self.sealed(given(context), tick(task.name, args, kwargs))
        headers = {HEADER: {"role": "tick", "seal": seal}}
        return {
            "task": task.name,
            "schedule": schedule,
            "args": args,
            "kwargs": kwargs,
            "options": {"headers": headers},
        }

    def executions(self, context: TenantContext, *, most: int = 100) -> list[Execution]:
        """The tenant's executions, the newest first."""
        tenant = given(context).tenant_id
        return [self._now(tenant, found) for found in self.records.newest(tenant, most)]

    def result(self, context: TenantContext, execution_id: str, *, timeout_s: float = 60.0) -> Any:
        """What an execution of the tenant returned, or a list where it is a group.

        Raises:
            UnknownExecution: when the tenant has none by this id.
            ExecutionFailed: when it failed, or was cancelled.
            ExecutionPending: when it has not ended in time.
        """
        tenant = given(context).tenant_id
        found = self.records.of(tenant, execution_id)
        full = f"{tenant}/{execution_id}"
        if found is None:
            return self._of_group(full, timeout_s)
        if found.status == "cancelled":
            raise cancelled(found.name)
        return self._awaited(found.name, AsyncResult(full, app=self.app), timeout_s)

    def cancel(self, context: TenantContext, execution_id: str) -> None:
        """Stop an execution of the tenant: one that waits never runs, one that runs is ended.

        Raises:
            UnknownExecution: when the tenant has none by this id.
        """
        tenant = given(context).tenant_id
        found = self.records.of(tenant, execution_id)
        if found is None:
            raise unknown()
        before = self.records.turn(tenant, execution_id, found.name, "cancelled")
        if before not in ENDED:
            full = f"{tenant}/{execution_id}"
            self.app.control.revoke(full, terminate=before == "running")

    def sealed(self, context: TenantContext, audience: str) -> str:
        """The context in an envelope, for a signature of the task."""
        return self.envelopes.sealed(context, audience=audience)

    def verified(self, task: TenantTask, request: Context) -> TenantContext:
        """The context of the message that is worked on.

        Raises:
            MissingTenant, NotAuthenticated: when nothing proves that we sent it.
        """
        said = (request.headers or {}).get(HEADER)
        context = self.envelopes.opened(said, audience=heard(request, task.name))
        if not request.id.startswith(f"{context.tenant_id}/"):
            raise MissingTenant("the message's id is not its tenant's")
        return context

    def refused(self, name: str, task_id: str, error: Exception) -> None:
        """Write to the log that a message was not worked on."""
        LOG.error("a message for %s was refused (%r): %s", name, task_id, error)

    @contextmanager
    def running(self, task: TenantTask, request: Context, context: TenantContext) -> Iterator[None]:
        """Around the body: the tenant is let in, and the execution's record says how it stands.

        Raises:
            UnknownTenant, InactiveTenant, DeletedTenant: when the tenant may not be entered.
            Ignore: when the execution was cancelled.
        """
        tenant, status = context.tenant_id, cast("Status | None", "failed")
        execution_id = own(tenant, request.id)
        place = Place.of((request.delivery_info or {}).get("routing_key") or "")
        try:
            self._gate.admit(context)
            if self.records.turn(tenant, execution_id, task.name, "running") == "cancelled":
                self.app.backend.mark_as_revoked(request.id, "cancelled", request=request)
                status = None
                raise Ignore  # noqa: TRY301 - the record is written below
            if place is not None:
                self.lines.renew(place, [request.id])
            yield
            status = "succeeded"
        except BaseException as error:
            status = None if passing(error) else status
            raise
        finally:
            if status is not None:
                self.records.turn(tenant, execution_id, task.name, status)
            if place is not None:
                self.lines.release(place, ended=request.id)

    def _now(self, tenant: str, found: Execution) -> Execution:
        """How an execution stands; the backend also knows of those whose process was ended."""
        if found.status in ENDED:
            return found
        state = STATES.get(AsyncResult(f"{tenant}/{found.id}", app=self.app).state)
        return Execution(found.id, found.name, state or found.status)

    def _of_group(self, full: str, timeout_s: float) -> list[Any]:
        whole = GroupResult.restore(full, app=self.app)
        if whole is None:
            raise unknown()
        until = time.monotonic() + timeout_s
        return [
            self._awaited("group", part, max(until - time.monotonic(), 0.0))
            for part in whole.results
        ]

    def _awaited(self, name: str, result: AsyncResult, timeout_s: float) -> Any:
        try:
            with allow_join_result():
                value = result.get(timeout=timeout_s, propagate=False)
        except TooLate as error:
            raise pending(name, timeout_s) from error
        if result.state != "SUCCESS":
            if result.state == "REVOKED":
                raise cancelled(name)
            raise failed(name, f"{type(value).__name__}: {value}")
        return value
