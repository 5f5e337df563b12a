"""The application that test workers run; the environment says where."""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import Any

import psycopg
from procrastinate import App, JobContext, PsycopgConnector

from partywall.adapters.procrastinate import Envelopes, Limits, TenantTasks
from partywall.context import TenantContext
from partywall.runtime.directory import Standing

URL = os.environ.get("TASKS_DATABASE", "postgresql://tasks@127.0.0.1:1/none")
NOTES = os.environ.get("TASKS_NOTES", "")
BEATING = ("tick", "tock", "asleep")


class Standings:
    """A directory whose tenants are written in a table; who is not is active."""

    def standing(self, tenant_id: str) -> Standing | None:
        found = noted("SELECT standing FROM standings WHERE tenant = %s", tenant_id)
        return found[0][0] if found else "active"

    async def async_standing(self, tenant_id: str) -> Standing | None:
        return self.standing(tenant_id)


def noted(query: str, *values: object) -> list[tuple[Any, ...]]:
    """What tests and tasks tell each other, in a database beside procrastinate's."""
    with psycopg.connect(NOTES, autocommit=True) as connection:
        cursor = connection.execute(query.encode(), values)
        return cursor.fetchall() if cursor.description else []


def ran(context: TenantContext, what: object) -> None:
    noted("INSERT INTO ran (tenant, what) VALUES (%s, %s)", context.tenant_id, str(what))


def gone(name: str) -> bool:
    return bool(noted("SELECT 1 FROM gates WHERE name = %s", name))


app = App(connector=PsycopgConnector(conninfo=URL, min_size=1, max_size=10))
tasks = TenantTasks(
    app,
    Envelopes(b"n" * 32),
    directory=Standings(),
    limits=Limits(
        at_once=2, tenants={"slow": Limits(1), "small": Limits(waiting=3), "greedy": Limits(1000)}
    ),
    logins=["app"],
    alive_s=float(os.environ.get("TASKS_ALIVE", "30")),
)


@tasks.task
def add(context: TenantContext, first: int, second: float = 0) -> list[Any]:
    """Add, and say for whom."""
    ran(context, first)
    return [json.loads(context.to_json()), first + second]


@tasks.task
async def async_add(context: TenantContext, first: int) -> list[Any]:
    """The same, async."""
    ran(context, first)
    return [json.loads(context.to_json()), first]


@tasks.task(retry=2)
def insists(context: TenantContext, until: int) -> str:
    """Fail for the first times."""
    ran(context, "insists")
    if noted("SELECT count(*) FROM ran WHERE tenant = %s", context.tenant_id)[0][0] < until:
        raise ValueError("no such invoice")
    return context.tenant_id


@tasks.task
def reads(context: TenantContext, name: str) -> None:
    """Fail with what it was given in the words."""
    raise LookupError(f"{context.tenant_id} has no file {name}")


@tasks.task
def holds(context: TenantContext, name: str) -> str:
    """Wait until it is let go."""
    ran(context, name)
    while not gone(name):
        time.sleep(0.02)
    return context.tenant_id


@tasks.task
async def async_holds(context: TenantContext, name: str) -> str:
    """The same, async."""
    ran(context, name)
    while not gone(name):  # noqa: ASYNC110 - another process opens it
        await asyncio.sleep(0.02)
    return context.tenant_id


@tasks.task(pass_context=True)
def looks(context: TenantContext, job: JobContext, secret: str) -> list[Any]:
    """What is at hand where it runs."""
    return [context.tenant_id, repr(vars(job) if hasattr(job, "__dict__") else job), secret]


@tasks.periodic(cron="* * * * * *", contexts=lambda: [TenantContext(name) for name in BEATING])
@tasks.task
def beats(context: TenantContext, timestamp: int) -> int:  # noqa: ARG001 - it has nothing to do
    """At each tick."""
    return timestamp
