"""The application that test workers run; the environment says where and how."""

# ruff: noqa: ANN401 - a task returns what it returns, and Celery's classes have no types

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any, cast

from celery import Celery, current_task
from redis import Redis

from partywall.adapters.celery import Envelopes, Limits, TenantTasks
from partywall.adapters.celery.task import VERIFIED
from partywall.context import TenantContext

if TYPE_CHECKING:
    from partywall.runtime.directory import Standing

URL = os.environ.get("TASKS_REDIS", "redis://127.0.0.1:1/0")
BEATING = ("tick", "tock")


class Standings:
    """A directory whose tenants are written in Redis; who is not is active."""

    def standing(self, tenant_id: str) -> Standing | None:
        found = server.hget("standings", tenant_id)
        return cast("Standing", found or "active")

    async def async_standing(self, tenant_id: str) -> Standing | None:
        return self.standing(tenant_id)


server = Redis.from_url(URL, decode_responses=True)
app = Celery("shop", broker=URL, backend=URL)
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": int(os.environ.get("TASKS_VISIBILITY", "3600"))
    },
    worker_prefetch_multiplier=1,
    task_default_queue=os.environ.get("TASKS_QUEUE", "celery"),
)
tasks = TenantTasks(
    app,
    Envelopes({"new": b"n" * 32, "old": b"o" * 32}),
    directory=Standings(),
    limits=Limits(at_once=2, tenants={"slow": Limits(at_once=1), "small": Limits(waiting=3)}),
    lease_s=float(os.environ.get("TASKS_LEASE", "30")),
)


def ran(context: TenantContext, what: object) -> None:
    server.rpush("ran", json.dumps([context.tenant_id, what]))


@tasks.task
def add(context: TenantContext, first: int, second: int = 0) -> list[Any]:
    """Add, and say for whom."""
    ran(context, first)
    return [json.loads(context.to_json()), first + second]


@tasks.task
def told(context: TenantContext, what: Any, more: str = "") -> list[Any]:
    """What it was told, and by whom."""
    ran(context, f"told {more}".strip())
    return [context.tenant_id, what]


@tasks.task
def fails(context: TenantContext) -> None:
    """Fail."""
    ran(context, "fails")
    raise ValueError("no such invoice")


@tasks.task(bind=True, max_retries=3, default_retry_delay=0)
def persists(self: Any, context: TenantContext, times: list[int]) -> list[Any]:
    """Try again by hand, having changed its own argument."""
    wanted = times.pop()
    if self.request.retries < wanted:
        raise self.retry(args=[[wanted]])
    return [context.tenant_id, self.request.retries]


@tasks.task(bind=True, autoretry_for=(OSError,), retry_backoff=False, default_retry_delay=0)
def insists(self: Any, context: TenantContext) -> list[Any]:
    """Try again by itself."""
    if self.request.retries < 2:
        raise OSError("away")
    return [context.tenant_id, self.request.retries]


@tasks.task(bind=True)
def becomes(self: Any, context: TenantContext, first: int) -> Any:
    """Be replaced by another task, of the same tenant."""
    raise self.replace(tasks.signature(context, add, first, 1))


@tasks.task
def holds(context: TenantContext, name: str) -> str:
    """Wait until it is let go."""
    ran(context, name)
    server.blpop([f"go:{name}"], timeout=0)
    return context.tenant_id


@tasks.task(acks_late=True)
def carries(context: TenantContext, name: str) -> str:
    """As `holds`, given out again when its worker dies."""
    ran(context, name)
    server.blpop([f"go:{name}"], timeout=0)
    return context.tenant_id


@tasks.task(soft_time_limit=1)
def dawdles(context: TenantContext) -> None:
    """Outstay its soft time limit."""
    ran(context, "dawdles")
    server.blpop(["go:never"], timeout=0)


@tasks.task(time_limit=2)  # a worker says once a second what it holds
def hangs(context: TenantContext) -> None:
    """Outstay its hard time limit."""
    ran(context, "hangs")
    server.blpop(["go:never"], timeout=0)


@tasks.task
def dies(context: TenantContext, name: str) -> None:
    """End its process as the kernel does when memory is short."""
    ran(context, name)
    server.blpop([f"go:{name}"], timeout=0)
    os.kill(os.getpid(), signal.SIGKILL)


@tasks.task
def crowd(context: TenantContext, first: int) -> int:  # noqa: ARG001 - each has its own
    """How many of its tenant's run while it does."""
    here = server.incr(f"crowd:{context.tenant_id}")
    server.get("nothing")
    server.decr(f"crowd:{context.tenant_id}")
    return int(here)


@tasks.task
def looks(context: TenantContext, secret: str) -> list[Any]:  # noqa: ARG001 - Celery has it at hand
    """Where it runs, and all that Celery has at hand there."""
    request = current_task.request
    verified = getattr(request, VERIFIED)
    stack = [frame.id for frame in current_task.request_stack.stack]
    return [os.getpid(), verified.tenant_id, repr(vars(request)), stack]


@app.task  # type: ignore[untyped-decorator] # Celery has no types
def stranger() -> list[Any]:
    """A task of no tenant."""
    return [os.getpid(), repr(vars(current_task.request)), hasattr(current_task.request, VERIFIED)]


@app.task  # type: ignore[untyped-decorator] # Celery has no types
def breaks() -> None:
    """A task of no tenant, which fails."""
    raise ValueError("broken")


app.conf.beat_schedule = {
    name: tasks.scheduled(TenantContext(name, roles={"clock"}), add, 0.1, 1) for name in BEATING
}
