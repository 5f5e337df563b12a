"""Tenants' tasks on Celery, with a real worker and a real Redis; one worker for all of these."""

# ruff: noqa: ANN401 - a task returns what it returns, and Celery's classes have no types

from __future__ import annotations

import json
import os
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from celery import chain, chord, group
from redis import Redis

from partywall.adapters.celery.canvas import HEADER, message, then
from partywall.adapters.celery.task import VERIFIED
from partywall.adapters.envelope import Envelopes
from partywall.context import TenantContext
from partywall.errors import (
    ConfigurationError,
    DeletedTenant,
    ExecutionFailed,
    ExecutionPending,
    InactiveTenant,
    MissingTenant,
    NotAuthenticated,
    PartywallError,
    QuotaExceeded,
    UnknownExecution,
)
from tests.adapters.tasks.processes import LONGEST_S, until, worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from partywall.adapters.executions import Execution
    from partywall.servers import Redis as Server
    from tests.adapters.tasks.processes import Worker

# Celery's Redis backend calls what redis-py has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")

ACME = TenantContext("acme", "ann", roles={"owner"}, permissions={"invoices:read"})
GLOBEX = TenantContext("globex", "bob")
SLOW = TenantContext("slow")


@pytest.fixture(scope="module")
def shop(redis_server: Server) -> Any:
    """The application in this process; its worker is another one."""
    with Redis.from_url(redis_server.url()) as client:
        client.flushall()
        client.script_flush()
    os.environ["TASKS_REDIS"] = redis_server.url()
    from tests.adapters.tasks import celery_app  # noqa: PLC0415 - it reads the address when imported

    celery_app.app.conf.update(broker_url=redis_server.url(), result_backend=redis_server.url())
    return celery_app


@pytest.fixture(scope="module")
def running(shop: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Two processes that run tasks."""
    arguments = ["celery", "-A", "tests.adapters.tasks.celery_app", "worker", "-c", "2"]
    arguments += ["-l", "INFO", "--without-gossip", "--without-mingle"]
    folder = tmp_path_factory.mktemp("celery")
    environment = {"TASKS_REDIS": shop.URL, "TASKS_LEASE": "300"}
    with worker(arguments, environment, folder, "ready.") as started:
        yield started


@pytest.fixture
def tasks(shop: Any, running: Worker) -> Any:  # noqa: ARG001 - it works on what these tests start
    shop.server.delete("ran", "standings")
    return shop.tasks


def done(tasks: Any, context: TenantContext, execution: Execution) -> Any:
    return tasks.result(context, execution.id, timeout_s=LONGEST_S)


def ran(shop: Any) -> list[list[Any]]:
    return [json.loads(line) for line in shop.server.lrange("ran", 0, -1)]


def new(prefix: str = "t") -> TenantContext:
    return TenantContext(f"{prefix}-{uuid.uuid4().hex[:8]}")


def test_a_task_gets_the_whole_context_that_it_was_started_with(shop: Any, tasks: Any) -> None:
    context, total = done(tasks, ACME, tasks.start(ACME, shop.add, 2, second=3))
    assert (TenantContext.from_json(json.dumps(context)), total) == (ACME, 5)


def test_without_a_context_nothing_is_started(shop: Any, tasks: Any) -> None:
    before = shop.server.dbsize()
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: shop.add.delay(1),
        lambda: shop.add.apply_async((1,)),
        lambda: shop.add.s(1).apply_async(),
        lambda: chain(shop.add.s(1), shop.told.s()).apply_async(),
        lambda: shop.add(1),
        lambda: tasks.start(None, shop.add, 1),
        lambda: tasks.start("acme", shop.add, 1),
        lambda: tasks.executions(None),
    )
    for attempt in attempts:
        with pytest.raises(MissingTenant):
            attempt()
    assert shop.server.dbsize() == before
    assert shop.add(ACME, 1)[1] == 1  # the control: here and now, with one


def test_what_cant_be_a_tenants_task_is_refused_where_it_is_written(shop: Any, tasks: Any) -> None:
    with pytest.raises(ConfigurationError, match="takes no context"):
        tasks.task(lambda: None)
    with pytest.raises(ConfigurationError, match="is no task of tenants"):
        tasks.start(ACME, shop.stranger.s())
    with pytest.raises(ConfigurationError, match="what JSON can say"):
        tasks.start(ACME, shop.add, object())
    with pytest.raises(ConfigurationError, match="can't carry a context"):
        tasks.start(ACME, shop.add.chunks([(1,), (2,)], 1))
    with pytest.raises(TypeError, match="positional argument"):
        tasks.start(ACME, shop.add)
    with pytest.raises(NotAuthenticated):
        tasks.signature(ACME, shop.add, 1).apply_async()  # past start()


def forged(shop: Any, **changes: Any) -> dict[str, Any]:
    """A message as somebody would put it into the queue who has its address, and no key."""
    message: dict[str, Any] = {"args": (66,), "task_id": f"acme/{uuid.uuid4()}", "headers": {}}
    return {**message, **changes, "name": shop.add.name}


def test_a_worker_refuses_what_nothing_proves_before_the_body_runs(
    shop: Any, tasks: Any, running: Worker
) -> None:
    theirs = Envelopes(b"x" * 32)
    ours = shop.tasks.envelopes  # to seal for another message than the one sent
    nothing = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}

    def envelope(by: Envelopes, name: str, task_id: str, args: tuple[int, ...]) -> dict[str, str]:
        return {HEADER: by.sealed(ACME, audience=message(name, task_id, args, {}, nothing))}

    one, two = f"acme/{uuid.uuid4()}", f"globex/{uuid.uuid4()}"
    linked = shop.add.s(66)
    seal = {"role": "then", "seal": tasks.sealed(ACME, then(shop.add.name))}
    linked.options["headers"] = {HEADER: seal}
    attempts = [
        forged(shop),
        forged(shop, headers={HEADER: ACME.to_json()}),
        forged(shop, headers={HEADER: {"tenant_id": "acme"}}),
        forged(shop, headers={VERIFIED: "acme", HEADER: ""}),
        forged(shop, task_id=one, headers=envelope(theirs, shop.add.name, one, (66,))),
        forged(shop, task_id=one, headers=envelope(ours, shop.add.name, one, (1,))),
        forged(shop, task_id=one, headers=envelope(ours, shop.told.name, one, (66,))),
        forged(shop, headers=envelope(ours, shop.add.name, one, (66,))),
        forged(shop, task_id=two, headers=envelope(ours, shop.add.name, two, (66,))),
        forged(shop, task_id=one, headers={HEADER: seal}),
        forged(shop, task_id=one, headers={HEADER: seal["seal"]}),
        forged(shop, task_id=one, headers=envelope(ours, shop.add.name, one, (66,)), link=linked),
    ]
    before = running.said("was refused")
    for attempt in attempts:
        shop.app.send_task(**attempt)
    until(lambda: running.said("was refused") == before + len(attempts))
    whole = envelope(ours, shop.add.name, one, (67,))  # the control: the very same, undamaged
    shop.app.send_task(shop.add.name, (67,), task_id=one, headers=whole)
    until(lambda: ["acme", 67] in ran(shop))
    assert ran(shop) == [["acme", 67]]
    assert not shop.server.exists(*(f"celery-task-meta-{m['task_id']}" for m in attempts[:4]))


def test_a_callback_that_was_seen_in_the_queue_can_be_set_off_in_no_other_form(
    shop: Any, tasks: Any
) -> None:
    """A message for a task of no tenant has no seal, and may have callbacks."""
    failing = shop.fails.s()
    failing.link_error(shop.told.s("genuine"))
    failing.link(shop.told.s("then"))
    options = tasks.signature(ACME, failing).options
    [error], [then_] = options["link_error"], options["link"]
    attempts: list[tuple[str, Any]] = [
        ("acme/1", {**error, "args": ["forged"]}),
        ("acme/1", {**error, "kwargs": {"more": "forged"}, "args": []}),
        ("acme/1", {**error, "options": {**error["options"], "link": [then_]}}),
        ("acme/1", then_),
        ("acme/1", {**then_, "args": ["forged"]}),
        ("globex/1", error),
        ("acme/1", error),  # the control
    ]
    for task_id, callback in attempts:
        shop.app.send_task(shop.breaks.name, task_id=task_id, link_error=[callback])
        shop.app.send_task(shop.stranger.name, task_id=task_id, link=[then_])
    until(lambda: ["acme", "told genuine"] in ran(shop))
    shop.stranger.delay().get(timeout=LONGEST_S)  # all of them are through
    done(tasks, ACME, tasks.start(ACME, shop.add, 1))
    assert ran(shop) == [["acme", "told genuine"], ["acme", 1]]


@pytest.mark.parametrize(
    ("standing", "error"), [("suspended", InactiveTenant), ("deleted", DeletedTenant)]
)
def test_a_tenant_that_may_not_be_entered_has_nothing_done(
    shop: Any, tasks: Any, standing: str, error: type[PartywallError]
) -> None:
    context = new()
    later = tasks.start(context, shop.add.s(5).set(countdown=1))
    shop.server.hset("standings", context.tenant_id, standing)
    with pytest.raises(error):
        tasks.start(context, shop.add, 4)
    with pytest.raises(ExecutionFailed) as raised:
        done(tasks, context, later)
    assert error.__name__ in raised.value.reason
    shop.server.hdel("standings", context.tenant_id)
    done(tasks, context, tasks.start(context, shop.add, 6))
    assert ran(shop) == [[context.tenant_id, 6]]


def test_retries_keep_the_context(shop: Any, tasks: Any) -> None:
    assert done(tasks, ACME, tasks.start(ACME, shop.persists, [2])) == ["acme", 2]
    assert done(tasks, ACME, tasks.start(ACME, shop.insists)) == ["acme", 2]


def test_a_task_may_be_replaced_by_another_of_its_tenant(shop: Any, tasks: Any) -> None:
    assert done(tasks, ACME, tasks.start(ACME, shop.becomes, 4))[1] == 5


def test_every_member_of_a_canvas_works_for_the_tenant(shop: Any, tasks: Any) -> None:
    def started(what: Any) -> Any:
        return done(tasks, GLOBEX, tasks.start(GLOBEX, what))

    def sums(of: Any) -> list[int]:
        assert {context["tenant_id"] for context, _ in of} == {"globex"}
        return [total for _, total in of]

    who, (inner, (_, total)) = started(chain(shop.add.s(1, 2), shop.told.s(), shop.told.s()))
    assert (who, inner, total) == ("globex", "globex", 3)
    assert sums(started(group(shop.add.s(n, 1) for n in range(4)))) == [1, 2, 3, 4]
    who, parts = started(chord([shop.add.s(n, 1) for n in range(3)], shop.told.s()))
    assert (who, sums(parts)) == ("globex", [1, 2, 3])
    who, (inner, parts) = started(
        chain(group(shop.add.s(n, 1) for n in range(2)), shop.told.s(), shop.told.s())
    )
    assert (who, inner, sums(parts)) == ("globex", "globex", [1, 2])
    assert {tenant for tenant, _ in ran(shop)} == {"globex"}


def test_callbacks_of_success_and_failure_work_for_the_tenant(shop: Any, tasks: Any) -> None:
    good, bad = shop.add.s(7), shop.fails.s()
    good.link(shop.told.s())
    bad.link_error(shop.told.s())
    done(tasks, ACME, tasks.start(ACME, good))
    failing = tasks.start(ACME, bad)
    with pytest.raises(ExecutionFailed) as raised:
        done(tasks, ACME, failing)
    assert raised.value.reason == "ValueError: no such invoice"
    assert "invoice" not in str(raised.value)
    until(lambda: ran(shop).count(["acme", "told"]) == 2)


def test_a_countdown_keeps_the_context_and_holds_no_place(shop: Any, tasks: Any) -> None:
    early = tasks.start(SLOW, shop.add.s(1).set(countdown=3600))
    later = tasks.start(SLOW, shop.add.s(2).set(countdown=1))
    assert done(tasks, SLOW, tasks.start(SLOW, shop.add, 3))[1] == 3
    assert done(tasks, SLOW, later)[1] == 2
    assert [what for _, what in ran(shop)] == [3, 2]
    tasks.cancel(SLOW, early.id)


def test_time_limits_end_an_execution_and_give_its_place_back(shop: Any, tasks: Any) -> None:
    for task, reason in (
        (shop.dawdles, "SoftTimeLimitExceeded"),
        (shop.hangs, "TimeLimitExceeded"),
    ):
        execution = tasks.start(SLOW, task)
        behind = tasks.start(SLOW, shop.add, 1)
        with pytest.raises(ExecutionFailed) as raised:
            done(tasks, SLOW, execution)
        assert reason in raised.value.reason
        done(tasks, SLOW, behind)


def test_the_place_of_a_process_that_was_killed_is_given_back_by_its_worker(
    shop: Any, tasks: Any
) -> None:
    dying = tasks.start(SLOW, shop.dies, "dying")
    behind = tasks.start(SLOW, shop.add, 1)
    held = "partywall:tasks:held:celery/slow"
    until(lambda: ran(shop))
    [(_, begun)] = shop.server.zrange(held, 0, -1, withscores=True)
    until(lambda: shop.server.zrange(held, 0, -1, withscores=True)[0][1] > begun)  # a sign of life
    shop.server.rpush("go:dying", 1)
    with pytest.raises(ExecutionFailed) as raised:
        done(tasks, SLOW, dying)
    assert raised.value.kind == "WorkerLostError"
    done(tasks, SLOW, behind)


def test_beat_starts_what_is_scheduled_for_each_tenant(
    shop: Any, tasks: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    arguments = ["celery", "-A", "tests.adapters.tasks.celery_app", "beat", "--max-interval", "1"]
    folder = tmp_path_factory.mktemp("beat")
    with worker(arguments, {"TASKS_REDIS": shop.URL}, folder, "is starting"):
        for name in shop.BEATING:
            context = TenantContext(name)
            [execution, *_] = until(partial(tasks.executions, context))
            found, _ = done(tasks, context, execution)
            assert (found["tenant_id"], found["roles"]) == (name, ["clock"])


def test_a_tenant_sees_its_own_executions_and_no_others(shop: Any, tasks: Any) -> None:
    one, two = new("one"), new("two")
    mine = [tasks.start(one, shop.add, n) for n in range(3)]
    theirs = tasks.start(two, shop.add, 9)
    for execution in mine:
        done(tasks, one, execution)
    assert [found.id for found in tasks.executions(one)] == [e.id for e in reversed(mine)]
    assert {found.status for found in tasks.executions(one)} == {"succeeded"}
    assert [found.id for found in tasks.executions(two)] == [theirs.id]
    for asked in (tasks.result, tasks.cancel):
        words = set()
        for stranger in (theirs.id, str(uuid.uuid4()), f"../{two.tenant_id}/{theirs.id}", ""):
            with pytest.raises(UnknownExecution) as raised:
                asked(one, stranger)
            words.add(str(raised.value))
        assert len(words) == 1
    assert done(tasks, two, theirs)[1] == 9


def test_results_lie_under_the_tenants_prefix(shop: Any, tasks: Any) -> None:
    one = new("one")
    before = set(shop.server.scan_iter("celery-task*"))
    whole = group(shop.add.s(n) for n in range(2))
    done(tasks, one, tasks.start(one, chord(whole, shop.told.s())))
    done(tasks, one, tasks.start(one, whole))
    keys = set(shop.server.scan_iter("celery-task*")) - before
    assert len([k for k in keys if k.startswith(f"celery-task-meta-{one.tenant_id}/")]) == 5
    assert [k for k in keys if k.startswith(f"celery-taskset-meta-{one.tenant_id}/")]
    assert not [k for k in keys if f"meta-{one.tenant_id}/" not in k]


def test_what_is_cancelled_while_it_waits_never_runs(shop: Any, tasks: Any) -> None:
    holding = tasks.start(SLOW, shop.holds, "first")
    until(lambda: ["slow", "first"] in ran(shop))
    waiting, unheard = tasks.start(SLOW, shop.add, 13), tasks.start(SLOW, shop.add, 12)
    tasks.cancel(SLOW, waiting.id)
    tasks.records.turn("slow", unheard.id, unheard.name, "cancelled")  # no worker was there
    shop.server.rpush("go:first", 1)
    assert done(tasks, SLOW, holding) == "slow"
    done(tasks, SLOW, tasks.start(SLOW, shop.add, 14))
    assert [what for _, what in ran(shop)] == ["first", 14]
    with pytest.raises(ExecutionFailed) as raised:
        tasks.result(SLOW, waiting.id)
    assert raised.value.reason == "cancelled"


def test_what_is_cancelled_while_it_runs_is_ended(shop: Any, tasks: Any) -> None:
    execution = tasks.start(SLOW, shop.holds, "endless")
    until(lambda: ["slow", "endless"] in ran(shop))
    tasks.cancel(SLOW, execution.id)
    assert tasks.executions(SLOW)[0].status == "cancelled"
    assert done(tasks, SLOW, tasks.start(SLOW, shop.add, 15))[1] == 15  # its place is free again


def test_a_result_that_is_late_is_pending(shop: Any, tasks: Any) -> None:
    execution = tasks.start(ACME, shop.add.s(1).set(countdown=3600))
    with pytest.raises(ExecutionPending):
        tasks.result(ACME, execution.id, timeout_s=0.1)
    tasks.cancel(ACME, execution.id)


def test_a_process_that_works_for_one_and_then_for_another_carries_nothing_over(
    shop: Any, tasks: Any
) -> None:
    one, two = new("one"), new("two")
    workers: dict[int, set[str]] = {}
    while not any({one.tenant_id, two.tenant_id} <= found for found in workers.values()):
        for context, other in ((one, two), (two, one)):
            secret = f"secret-of-{context.tenant_id}"
            process, verified, at_hand, stack = done(
                tasks, context, tasks.start(context, shop.looks, secret)
            )
            workers.setdefault(process, set()).add(context.tenant_id)
            assert (verified, len(stack)) == (context.tenant_id, 1)
            assert secret in at_hand
            assert other.tenant_id not in at_hand
    process, at_hand, verified = shop.stranger.delay().get(timeout=LONGEST_S)
    assert process in workers
    assert one.tenant_id not in at_hand
    assert two.tenant_id not in at_hand
    assert not verified


def test_the_same_task_in_two_tenants_at_once_is_two_executions(shop: Any, tasks: Any) -> None:
    one, two = new("one"), new("two")
    first, second = (tasks.start(context, shop.holds, context.tenant_id) for context in (one, two))
    until(lambda: len(ran(shop)) == 2)  # both run now
    assert first.id != second.id
    for context in (one, two):
        shop.server.rpush(f"go:{context.tenant_id}", 1)
    assert done(tasks, one, first) == one.tenant_id
    assert done(tasks, two, second) == two.tenant_id


def test_one_task_of_a_tenant_does_not_wait_for_the_many_of_another(shop: Any, tasks: Any) -> None:
    many, single, holder = new("many"), new("single"), new("holder")
    for name in ("left", "right"):
        tasks.start(holder, shop.holds, name)
    until(lambda: len(ran(shop)) == 2)  # both processes are busy
    for n in range(60):
        tasks.start(many, shop.add, n)
    last = tasks.start(single, shop.add, 1)
    for name in ("left", "right"):
        shop.server.rpush(f"go:{name}", 1)
    done(tasks, single, last)
    until(lambda: len(ran(shop)) == 63)
    order = [tenant for tenant, _ in ran(shop)[2:]]
    assert order.index(single.tenant_id) <= 4  # two at once of the other's, and two under way
    assert {what for tenant, what in ran(shop) if tenant == many.tenant_id} == set(range(60))


def test_no_more_of_a_tenant_run_at_once_than_may(shop: Any, tasks: Any) -> None:
    started = [tasks.start(SLOW, shop.crowd, n) for n in range(30)]
    assert {done(tasks, SLOW, execution) for execution in started} == {1}


def test_a_line_that_is_full_takes_no_more(shop: Any, tasks: Any) -> None:
    small = TenantContext("small")
    waiting = [tasks.start(small, shop.add.s(n).set(countdown=3600)) for n in range(3)]
    with pytest.raises(QuotaExceeded) as raised:
        tasks.start(small, shop.add, 4)
    assert raised.value.kind == "tasks_waiting"
    assert len(tasks.executions(small)) == 3
    for execution in waiting:
        tasks.cancel(small, execution.id)


def test_a_task_keeps_the_queue_that_it_was_routed_to(shop: Any, tasks: Any) -> None:
    tasks.start(ACME, shop.add.s(1).set(queue="reports"))
    assert shop.server.llen("reports") == 1
    assert shop.server.llen("reports/acme") == 0
