"""How a message of a tenant is published: by whom it may be, sealed, into the tenant's line."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kombu import Queue

from partywall.adapters.celery.canvas import (
    HEADER,
    afterwards,
    fresh_id,
    message,
    plain,
    then,
    tick,
)
from partywall.adapters.celery.line import DUE, Place
from partywall.adapters.celery.task import TenantTask, verified_tenant
from partywall.errors import ConfigurationError, MissingTenant, NotAuthenticated, TenantMismatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.adapters.celery.tasks import TenantTasks
    from partywall.context import TenantContext


class Posting:
    """Publishes messages for the tasks of tenants.

    Attributes:
        starting: ids that this process has just made, and is about to publish.
    """

    def __init__(self, tenants: TenantTasks) -> None:
        self._tenants = tenants
        self.starting: set[str] = set()

    @contextmanager
    def around(
        self,
        task: TenantTask,
        args: Any,
        kwargs: Any,
        task_id: str | None,
        beside: dict[str, Any],
        options: dict[str, Any],
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Around the publishing of a message: its id and its options, into the tenant's line."""
        options, headers = dict(options), dict(options.get("headers") or {})
        said = headers.pop(HEADER, None)
        context = self._posted(task.name, said, task_id, args, kwargs, beside)
        tenant = context.tenant_id
        full = task_id or fresh_id(tenant)
        if not full.startswith(f"{tenant}/"):
            raise TenantMismatch("a task's id begins with its tenant's: let start() choose it")
        sealed_for = message(task.name, full, args, kwargs, beside)
        headers[HEADER] = self._tenants.envelopes.sealed(context, audience=sealed_for)
        later_s = seconds_until(options)
        if later_s > 0:
            headers[DUE] = repr(time.time() + later_s)
        place = self._place(task, args, kwargs, tenant, options)
        if full not in self.starting:  # else start() has opened them all at once
            self._tenants.records.open(tenant, [(own(tenant, full), task.name)], later_s=later_s)
        self._tenants.lines.enter(place)
        yield (
            full,
            {
                **options,
                "headers": headers,
                "queue": Queue(place.name, exchange="", routing_key=place.name),
                "declare": [],
                "priority": 0,
            },
        )
        self._tenants.lines.release(place)

    def _posted(
        self,
        name: str,
        said: object,
        task_id: str | None,
        args: Any,
        kwargs: Any,
        beside: dict[str, Any],
    ) -> TenantContext:
        """The context of a signature that is published, once it may be.

        Raises:
            MissingTenant: where it has none.
            NotAuthenticated: when nothing proves that we made it, to be published here and now.
            TenantMismatch: when it is another tenant's than the message that is worked on.
        """
        if not isinstance(said, dict):
            raise MissingTenant(
                f"{name} works for a tenant: tasks.start(context, {name.rpartition('.')[2]}, …) "
                "instead of .delay() and .apply_async()"
            )
        role, seal = said.get("role"), said.get("seal")
        if role == "tick":
            return self._tenants.envelopes.opened(seal, audience=tick(name, args, kwargs))
        if role == "error":
            partial = said.get("args") or []
            context = self._tenants.envelopes.opened(
                seal, audience=afterwards(name, partial, kwargs, beside)
            )
            about = plain(args)[: len(args) - len(partial)]
            if plain(args) != [*about, *partial] or not about_own(about, context.tenant_id):
                raise NotAuthenticated("the error callback was made for other arguments")
            return context
        context = self._tenants.envelopes.opened(seal, audience=then(name))
        parent = verified_tenant(self._tenants.app)
        if task_id not in self.starting and parent != context.tenant_id:
            if parent is not None:
                raise TenantMismatch(f"{name} is another tenant's than the task that goes before")
            raise NotAuthenticated(f"{name} was not published by start(), nor by a verified task")
        return context

    def _place(
        self, task: TenantTask, args: Any, kwargs: Any, tenant: str, options: dict[str, Any]
    ) -> Place:
        """The tenant's line in front of the queue that Celery's routes lead to."""
        wanted = options.pop("queue", None)
        asked = {} if wanted is None else {"queue": wanted}
        if isinstance(wanted, str) and (line := Place.of(wanted)) and line.tenant == tenant:
            asked = {"queue": line.queue}  # of a message that is sent again
        routed = self._tenants.app.amqp.router.route(asked, task.name, args, kwargs, task)
        queue = routed.get("queue")
        if queue is None or (queue.exchange and queue.exchange.type != "direct"):
            raise ConfigurationError(
                f"{task.name} is routed to an exchange: route tenants' tasks to a queue"
            )
        for name in ("exchange", "routing_key"):
            options.pop(name, None)
        return Place(queue.name, tenant)


def about_own(about: list[Any], tenant: str) -> bool:
    """Whether an error callback is about a tenant's own execution, or is told nothing."""
    return not about or (len(about) == 1 and str(about[0]).startswith(f"{tenant}/"))


def own(tenant: str, full: str) -> str:
    """The id of an execution as its tenant knows it."""
    return full.removeprefix(f"{tenant}/")


def seconds_until(options: Any) -> float:
    """In how many seconds a task may begin, as its options say."""
    eta = options.get("eta")
    if isinstance(eta, str):
        eta = datetime.fromisoformat(eta)
    if isinstance(eta, datetime):
        return (eta - datetime.now(eta.tzinfo)).total_seconds()
    return float(options.get("countdown") or 0.0)
