"""Tenants' tasks on procrastinate, with a real worker and a real PostgreSQL; one for all."""

# ruff: noqa: ANN401 - a task returns what it returns, and Celery's classes have no types

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued

from partywall.adapters.envelope import Envelopes
from partywall.adapters.procrastinate import Limits, TenantTasks
from partywall.adapters.procrastinate.job import audience, composed
from partywall.context import TenantContext
from partywall.errors import (
    ConfigurationError,
    ExecutionFailed,
    ExecutionPending,
    InactiveTenant,
    MissingTenant,
    QuotaExceeded,
    UnknownExecution,
    UnsafeLogin,
)
from partywall.isolation.row_security import RowSecurity
from partywall.runtime.tenancy import Tenancy
from tests.adapters.tasks.processes import LONGEST_S, until, worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from partywall.adapters.executions import Execution
    from partywall.servers import Postgres

ACME = TenantContext("acme", "ann", roles={"owner"}, permissions={"invoices:read"})
GLOBEX, SLOW = TenantContext("globex"), TenantContext("slow")

ARGUMENTS = ["procrastinate", "-v", "-a", "tests.adapters.tasks.procrastinate_app.app", "worker"]


@pytest.fixture(scope="module")
def databases(postgres15: Postgres) -> Iterator[tuple[str, str, str]]:
    """Of procrastinate, of the notes of these tests, and of an administrator."""
    name = f"tasks_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres15.url(), autocommit=True) as control:
        for role in ("tasks", "app"):
            control.execute(f"DROP ROLE IF EXISTS {role}".encode())
            control.execute(f"CREATE ROLE {role} LOGIN".encode())
        for each in (name, f"{name}_notes"):
            control.execute(f"CREATE DATABASE {each}".encode())
        with psycopg.connect(postgres15.url(name), autocommit=True) as here:
            here.execute("CREATE SCHEMA tasks AUTHORIZATION tasks")
            here.execute("ALTER ROLE tasks SET search_path = tasks")
        with psycopg.connect(postgres15.url(f"{name}_notes"), autocommit=True) as notes:
            notes.execute("CREATE TABLE ran (n serial, tenant text, what text)")
            notes.execute("CREATE TABLE gates (name text)")
            notes.execute("CREATE TABLE standings (tenant text, standing text)")
        urls = [
            postgres15.url(name, "tasks"),
            postgres15.url(f"{name}_notes"),
            postgres15.url(name),
        ]
        yield urls[0], urls[1], urls[2]
        for each in (name, f"{name}_notes"):
            control.execute(f"DROP DATABASE {each} WITH (FORCE)".encode())
        control.execute("DROP ROLE tasks, app")


@pytest.fixture(scope="module")
def shop(databases: tuple[str, str, str]) -> Iterator[Any]:
    os.environ["TASKS_DATABASE"], os.environ["TASKS_NOTES"], _ = databases
    sys.modules.pop("tests.adapters.tasks.procrastinate_app", None)
    from tests.adapters.tasks import procrastinate_app  # noqa: PLC0415 - it reads the addresses

    with procrastinate_app.app.open():
        procrastinate_app.app.schema_manager.apply_schema()
        procrastinate_app.tasks.apply_schema()
        procrastinate_app.tasks.apply_schema()  # again, as a newer release would
        yield procrastinate_app


def environment(shop: Any) -> dict[str, str]:
    return {"TASKS_DATABASE": shop.URL, "TASKS_NOTES": shop.NOTES}


@pytest.fixture(scope="module")
def running(shop: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("procrastinate")
    arguments = [*ARGUMENTS, "-c", "3", "-q", "default"]  # another test kills those of its own
    with worker(arguments, environment(shop), folder, "Starting worker") as started:
        yield started


@pytest.fixture
def tasks(shop: Any, running: Any) -> Any:  # noqa: ARG001 - it works on what these tests start
    shop.noted("TRUNCATE ran, standings, gates")
    return shop.tasks


def done(tasks: Any, context: TenantContext, execution: Execution) -> Any:
    return tasks.result(context, execution.id, timeout_s=LONGEST_S)


def ran(shop: Any) -> list[tuple[str, str]]:
    return [tuple(row) for row in shop.noted("SELECT tenant, what FROM ran ORDER BY n")]


def let_go(shop: Any, *names: str) -> None:
    for name in names:
        shop.noted("INSERT INTO gates VALUES (%s)", name)


def new(prefix: str) -> TenantContext:
    return TenantContext(f"{prefix}-{uuid.uuid4().hex[:8]}")


def test_a_task_gets_the_whole_context_that_it_was_started_with(shop: Any, tasks: Any) -> None:
    for execution in (
        tasks.start(ACME, shop.add, first=2, second=1e22),
        tasks.start(ACME, shop.async_add, first=2),
    ):
        context, total = done(tasks, ACME, execution)
        assert TenantContext.from_json(json.dumps(context)) == ACME
        assert total in {2, 2 + 1e22}


def test_async_code_starts_waits_lists_and_cancels_alike(shop: Any, tasks: Any) -> None:
    context = new("async")

    async def all_of_it() -> None:
        app = App(connector=PsycopgConnector(conninfo=shop.URL, min_size=1))
        own = TenantTasks(app, Envelopes(b"n" * 32), logins=["app"])
        own.app.tasks.update(shop.app.tasks)
        with shop.app.replace_connector(app.connector):
            async with app.open_async():
                first = await tasks.async_start(context, shop.async_add, first=1)
                assert (await tasks.async_result(context, first.id, timeout_s=LONGEST_S))[1] == 1
                held = await tasks.async_start(context, shop.async_holds, name="async")
                assert {e.id for e in await own.async_executions(context)} == {first.id, held.id}
                await tasks.async_cancel(context, held.id)
                with pytest.raises(ExecutionFailed):
                    await tasks.async_result(context, held.id, timeout_s=LONGEST_S)
                with pytest.raises(UnknownExecution):
                    await tasks.async_result(ACME, held.id)

    asyncio.run(all_of_it())


def test_without_a_context_nothing_is_started(shop: Any, tasks: Any) -> None:
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: shop.add.defer(first=1),
        lambda: shop.add.configure(lock="x").defer(first=1),
        lambda: shop.add.batch_defer({"first": 1}),
        lambda: asyncio.run(shop.add.defer_async(first=1)),
        lambda: tasks.start(None, shop.add, first=1),
        lambda: tasks.executions("acme"),
    )
    for attempt in attempts:
        with pytest.raises(MissingTenant):
            attempt()
    assert shop.add(ACME, 1)[1] == 1
    with pytest.raises(ConfigurationError, match="takes no context"):
        tasks.task(lambda: None)
    with pytest.raises(ConfigurationError, match="no option colour"):
        shop.add.configure(colour="red")
    itself: list[object] = []
    itself.append(itself)
    for unsayable in (object(), itself):
        with pytest.raises(ConfigurationError, match="what JSON can say"):
            tasks.start(ACME, shop.add, first=unsayable)


def test_a_worker_refuses_what_nothing_proves_before_the_body_runs(
    shop: Any, tasks: Any, running: Any
) -> None:
    ours, name = Envelopes(b"n" * 32), shop.add.name

    def job(by: Envelopes, kwargs: dict[str, Any], task: str = name) -> dict[str, Any]:
        return composed(by, ACME, task, kwargs)[1]

    genuine = job(ours, {"first": 1})
    mark = genuine["partywall"]
    other = composed(ours, GLOBEX, name, {"first": 66})[1]["partywall"]
    attempts: list[dict[str, Any]] = [
        {"first": 66},
        {"kwargs": '{"first": 66}'},
        job(Envelopes(b"x" * 32), {"first": 66}),
        job(ours, {"first": 66}, shop.async_add.name),
        {**genuine, "kwargs": '{"first": 66}'},
        {"partywall": {**mark, "id": "another"}, "kwargs": '{"first": 66}'},
        {"partywall": {**other, "tenant": "acme"}, "kwargs": '{"first": 66}'},
        {"partywall": {"tenant": "acme"}, "kwargs": '{"first": 66}'},
        {**job(ours, {"first": 66}), "first": 66},
    ]
    before = running.said("was refused")
    for args in attempts:
        if "partywall" in args and args["partywall"].get("id") == mark["id"]:
            args = {**args, "partywall": {**mark, "id": str(uuid.uuid4())}}  # noqa: PLW2901
        shop.app.tasks[name].configure(task_kwargs=args).defer()
    until(lambda: running.said("was refused") >= before + len(attempts))
    assert ran(shop) == []
    shop.app.tasks[name].configure(task_kwargs=genuine).defer()  # the control: undamaged
    until(lambda: ran(shop) == [("acme", "1")])
    seen = {execution.id for execution in tasks.executions(ACME)}
    assert mark["id"] in seen
    assert "another" not in seen  # what nobody has sealed is in nobody's list
    assert audience("a", "b", "c") != audience("a", "bc", "")


def test_a_copy_of_a_job_is_no_second_execution(shop: Any, tasks: Any, databases: Any) -> None:
    execution = tasks.start(ACME, shop.add, first=5)
    done(tasks, ACME, execution)
    copy = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args) "
        "SELECT queue_name, task_name, args FROM procrastinate_jobs "
        "WHERE args #>> '{partywall,id}' = %s"
    )
    with (
        psycopg.connect(databases[0], autocommit=True) as connection,
        pytest.raises(psycopg.errors.UniqueViolation),
    ):
        connection.execute(copy, [execution.id])


def test_a_tenant_that_may_not_be_entered_has_nothing_done(shop: Any, tasks: Any) -> None:
    context = new("paused")
    later = tasks.start(context, shop.add.configure(schedule_in={"seconds": 1}), first=5)
    shop.noted("INSERT INTO standings VALUES (%s, 'suspended')", context.tenant_id)
    with pytest.raises(InactiveTenant):
        tasks.start(context, shop.add, first=4)
    with pytest.raises(ExecutionFailed) as raised:
        done(tasks, context, later)
    assert "InactiveTenant" in raised.value.reason
    shop.noted("TRUNCATE standings")
    done(tasks, context, tasks.start(context, shop.add, first=6))
    assert ran(shop) == [(context.tenant_id, "6")]


def test_retries_keep_the_context_and_a_failure_says_why_to_its_tenant(
    shop: Any, tasks: Any
) -> None:
    one = new("one")
    assert done(tasks, one, tasks.start(one, shop.insists, until=2)) == one.tenant_id
    failing = tasks.start(one, shop.insists, until=99)
    with pytest.raises(ExecutionFailed) as raised:
        done(tasks, one, failing)
    assert raised.value.reason == "ValueError: no such invoice"
    assert "invoice" not in str(raised.value)


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_a_failure_says_why_whatever_is_in_its_words(shop: Any, tasks: Any, name: str) -> None:
    one = new("one")
    with pytest.raises(ExecutionFailed) as raised:
        done(tasks, one, tasks.start(one, shop.reads, name=name))
    assert raised.value.reason == f"LookupError: {one.tenant_id} has no file a?b"


def test_locks_are_each_tenants_own(shop: Any, tasks: Any) -> None:
    one, two = new("one"), new("two")
    locked = shop.holds.configure(lock="ledger")
    first = [tasks.start(context, locked, name=context.tenant_id) for context in (one, two)]
    until(lambda: len(ran(shop)) == 2)  # both at once
    second = tasks.start(one, locked, name=one.tenant_id)
    done(tasks, ACME, tasks.start(ACME, shop.add, first=1))
    assert len(ran(shop)) == 3  # and not the second of the same tenant
    let_go(shop, one.tenant_id, two.tenant_id)
    for context, execution in ((one, first[0]), (two, first[1]), (one, second)):
        assert done(tasks, context, execution) == context.tenant_id


def test_queueing_locks_are_each_tenants_own(shop: Any, tasks: Any) -> None:
    one, two = new("one"), new("two")
    queued = shop.add.configure(queueing_lock="nightly", schedule_in={"hours": 1})
    for context in (one, two):
        execution = tasks.start(context, queued, first=1)
        with pytest.raises(AlreadyEnqueued):
            tasks.start(context, queued, first=1)
        tasks.cancel(context, execution.id)


def ticked(tasks: Any, context: TenantContext) -> bool:
    return len(tasks.executions(context)) > 2


def test_periodic_tasks_run_for_each_tenant_once_a_tick(shop: Any, tasks: Any) -> None:
    shop.noted("INSERT INTO standings VALUES ('asleep', 'suspended')")
    for name in ("tick", "tock"):
        context = TenantContext(name)
        until(partial(ticked, tasks, context))
        ticks = [done(tasks, context, e) for e in tasks.executions(context)]
        assert len(ticks) == len(set(ticks))


def test_a_tenant_whose_last_tick_still_waits_keeps_no_other_from_the_next(shop: Any) -> None:
    app = App(connector=PsycopgConnector(conninfo=shop.URL, min_size=1, max_size=2))
    tasks = TenantTasks(app, Envelopes(b"n" * 32))
    one, two = new("one"), new("two")

    @tasks.periodic(cron="0 0 1 1 *", contexts=lambda: [one, two])
    @tasks.task(name="report", queue="nobody's", queueing_lock="report")
    def report(context: TenantContext, timestamp: int) -> None:
        raise NotImplementedError

    with app.open():
        waiting = tasks.start(one, report, timestamp=1)
        app.tasks["partywall:periodic:report"].func(2)
        assert [found.id for found in tasks.executions(one)] == [waiting.id]
        [ticked] = tasks.executions(two)
        for context, execution in ((one, waiting), (two, ticked)):
            tasks.cancel(context, execution.id)


def test_a_tenant_sees_its_own_executions_and_no_others(shop: Any, tasks: Any) -> None:
    one, two = new("one"), new("two")
    mine = [tasks.start(one, shop.add, first=n) for n in range(3)]
    theirs = tasks.start(two, shop.add, first=9)
    for execution in mine:
        done(tasks, one, execution)
    assert [found.id for found in tasks.executions(one)] == [e.id for e in reversed(mine)]
    assert [found.id for found in tasks.executions(two)] == [theirs.id]
    for asked in (tasks.result, tasks.cancel):
        words = set()
        for stranger in (theirs.id, str(uuid.uuid4()), ""):
            with pytest.raises(UnknownExecution) as raised:
                asked(one, stranger)
            words.add(str(raised.value))
        assert len(words) == 1
    assert done(tasks, two, theirs)[1] == 9


def test_what_is_cancelled_never_runs(shop: Any, tasks: Any) -> None:
    holding = tasks.start(SLOW, shop.holds, name="first")
    until(lambda: ran(shop))
    waiting = tasks.start(SLOW, shop.add, first=13)
    with pytest.raises(ExecutionPending):
        tasks.result(SLOW, waiting.id, timeout_s=0.05)
    tasks.cancel(SLOW, waiting.id)
    let_go(shop, "first")
    assert done(tasks, SLOW, holding) == "slow"
    done(tasks, SLOW, tasks.start(SLOW, shop.add, first=14))
    assert [what for _, what in ran(shop)] == ["first", "14"]
    with pytest.raises(ExecutionFailed) as raised:
        tasks.result(SLOW, waiting.id)
    assert raised.value.reason == "cancelled"


def test_what_runs_async_is_ended_by_its_tenant(shop: Any, tasks: Any) -> None:
    execution = tasks.start(SLOW, shop.async_holds, name="endless")
    until(lambda: ran(shop))
    tasks.cancel(SLOW, execution.id)
    with pytest.raises(ExecutionFailed):
        done(tasks, SLOW, execution)


def test_the_same_task_in_two_tenants_at_once_is_two_executions(shop: Any, tasks: Any) -> None:
    one, two = new("one"), new("two")
    first, second = (tasks.start(c, shop.holds, name=c.tenant_id) for c in (one, two))
    until(lambda: len(ran(shop)) == 2)  # both run now
    assert first.id != second.id
    let_go(shop, one.tenant_id, two.tenant_id)
    assert done(tasks, one, first) == one.tenant_id
    assert done(tasks, two, second) == two.tenant_id


def test_a_worker_carries_nothing_from_one_tenant_to_the_next(shop: Any, tasks: Any) -> None:
    one, two = new("one"), new("two")
    for context, other in ((one, two), (two, one), (one, two)):
        mine = f"secret-of-{context.tenant_id}"
        verified, at_hand, secret = done(
            tasks, context, tasks.start(context, shop.looks, secret=mine)
        )
        assert (verified, secret) == (context.tenant_id, mine)
        assert mine in at_hand
        assert other.tenant_id not in at_hand


def test_one_task_of_a_tenant_does_not_wait_for_the_many_of_another(shop: Any, tasks: Any) -> None:
    many, single, holder = TenantContext("greedy"), new("single"), new("holder")
    for context, name in ((holder, "left"), (holder, "right"), (new("holder"), "middle")):
        tasks.start(context, shop.holds, name=name)
    until(lambda: len(ran(shop)) == 3)  # the worker is busy
    for n in range(40):
        tasks.start(many, shop.add, first=n)
    last = tasks.start(single, shop.add, first=1)
    let_go(shop, "left", "right", "middle")
    done(tasks, single, last)
    until(lambda: len(ran(shop)) == 44)
    order = [tenant for tenant, _ in ran(shop)[3:]]
    assert order.index(single.tenant_id) <= 4


def test_no_more_of_a_tenant_run_at_once_than_may(shop: Any, tasks: Any) -> None:
    for name in ("one", "two"):
        tasks.start(SLOW, shop.holds, name=name)
    until(lambda: ran(shop))
    done(tasks, ACME, tasks.start(ACME, shop.add, first=1))  # there is room, and not for its own
    assert len([tenant for tenant, _ in ran(shop) if tenant == "slow"]) == 1
    let_go(shop, "one", "two")
    until(lambda: len([tenant for tenant, _ in ran(shop) if tenant == "slow"]) == 2)


def test_a_line_that_is_full_takes_no_more(shop: Any, tasks: Any) -> None:
    small = TenantContext("small")
    later = shop.add.configure(schedule_in={"hours": 1})
    waiting = [tasks.start(small, later, first=n) for n in range(3)]
    with pytest.raises(QuotaExceeded) as raised:
        tasks.start(small, shop.add, first=4)
    assert raised.value.kind == "tasks_waiting"
    for execution in waiting:
        tasks.cancel(small, execution.id)


def test_a_killed_workers_job_goes_on_in_its_tenant(shop: Any, tasks: Any, tmp_path: Path) -> None:
    queue = {"queue": f"crash-{uuid.uuid4().hex[:6]}"}
    arguments = [*ARGUMENTS, "-c", "1", "-q", queue["queue"]]
    with worker(arguments, environment(shop), tmp_path, "Starting worker") as first:
        held = tasks.start(SLOW, shop.holds.configure(**queue), name="crash")
        until(lambda: ran(shop))
        first.killed()
    let_go(shop, "crash")
    recovering = App(connector=PsycopgConnector(conninfo=shop.URL, min_size=1))
    patient = TenantTasks(recovering, Envelopes(b"n" * 32), logins=["app"])

    async def recovered() -> int:
        async with recovering.open_async():
            return await patient.async_recover()

    assert asyncio.run(recovered()) == 0  # it may only be slow
    with psycopg.connect(shop.URL) as connection:
        connection.execute(  # time goes by
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute' "
            "WHERE id = (SELECT worker_id FROM procrastinate_jobs WHERE queue_name = %s)",
            [queue["queue"]],
        )
    assert asyncio.run(recovered()) == 1
    with worker(arguments, environment(shop), tmp_path, "Starting worker"):
        assert done(tasks, SLOW, held) == "slow"
    assert ran(shop) == [("slow", "crash"), ("slow", "crash")]


def test_the_tenants_login_can_neither_read_nor_write_a_job(shop: Any, databases: Any) -> None:
    app = databases[2].replace("postgres@", "app@")
    for statement in (
        "SELECT args FROM tasks.procrastinate_jobs",
        "SELECT value FROM tasks.partywall_results",
        "DELETE FROM tasks.procrastinate_jobs",
        "SELECT tasks.procrastinate_cancel_job_v1(1, true, true)",
    ):
        with (
            psycopg.connect(app, autocommit=True) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement.encode())
    with psycopg.connect(shop.URL) as connection:  # the control
        connection.execute("SELECT args FROM procrastinate_jobs")


@pytest.mark.parametrize(
    ("grant", "revoke"),
    [
        ("GRANT SELECT ON tasks.procrastinate_jobs TO app", None),
        ("GRANT SELECT (args) ON tasks.procrastinate_jobs TO app", None),
        ("GRANT INSERT ON tasks.procrastinate_jobs TO app", None),
        ("GRANT SELECT ON tasks.partywall_results TO PUBLIC", None),
        ("GRANT tasks TO app", "REVOKE tasks FROM app"),
        ("ALTER ROLE app NOINHERIT; GRANT tasks TO app", "REVOKE tasks FROM app"),
        ("ALTER ROLE app SUPERUSER", "ALTER ROLE app NOSUPERUSER"),
    ],
)
def test_a_login_that_could_is_refused_at_the_start(
    shop: Any, databases: Any, grant: str, revoke: str | None
) -> None:
    def asked() -> None:
        with Tenancy(databases[2].replace("postgres@", "app@"), RowSecurity()) as tenancy:
            TenantTasks(shop.app, Envelopes(b"n" * 32), tenancy=tenancy).check()

    manager = shop.app.job_manager
    with psycopg.connect(databases[2], autocommit=True) as connection:
        asked()
        connection.execute(grant.encode())
        try:
            with pytest.raises(UnsafeLogin, match="could read or write"):
                asked()
        finally:
            undo = revoke or grant.replace("GRANT", "REVOKE").replace(" TO ", " FROM ")
            connection.execute(undo.encode())
            shop.app.job_manager = manager
        asked()
        shop.app.job_manager = manager


def test_without_its_tables_nothing_is_started(databases: Any) -> None:
    with (
        App(connector=PsycopgConnector(conninfo=databases[2], min_size=1)).open() as app,
        pytest.raises(ConfigurationError, match="not all there"),
    ):
        TenantTasks(app, Envelopes(b"n" * 32), limits=Limits()).check()
