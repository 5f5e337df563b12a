"""Executions belong to their tenant, on every engine alike."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest

from partywall import TenantContext
from partywall.errors import (
    ConfigurationError,
    DeletedTenant,
    ExecutionFailed,
    ExecutionPending,
    InactiveTenant,
    MissingTenant,
    UnknownExecution,
    WorkflowError,
)
from tests.adapters.workflows import application as app
from tests.adapters.workflows.application import ACME, GLOBEX
from tests.control.crashing import waited
from tests.control.planes import unique

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.adapters.workflows.application import Application


def tenant() -> TenantContext:
    """One that no other test has."""
    return TenantContext(unique())


def listed(application: Application, context: TenantContext, own: set[str]) -> bool:
    """Whether a tenant sees these executions, all of them done, and no other."""
    found = application.workflows.executions(context)
    return {each.id for each in found} == own and {each.status for each in found} == {"done"}


@pytest.mark.parametrize("body", [app.greet, app.greet_async])
def test_two_tenants_run_the_same_workflow_each_in_its_own_context(
    application: Application, body: Callable[..., object]
) -> None:
    flows = application.workflows
    ours, theirs = flows.start(ACME, body, {"n": 1}), flows.start(GLOBEX, body, [2])
    assert ours.id != theirs.id
    assert flows.result(GLOBEX, theirs.id, timeout_s=60) == ["globex", ["globex", "bob", []], [2]]
    granted = ["acme", "ann", ["owner", "pay"]]
    assert flows.result(ACME, ours.id, timeout_s=60) == ["acme", granted, {"n": 1}]


def test_what_is_another_tenant_s_answers_as_what_is_not_there(application: Application) -> None:
    flows = application.workflows
    theirs = flows.start(GLOBEX, app.told, "go")
    for id_ in (theirs.id, "nothing", f"globex/{theirs.id}", f"../globex/{theirs.id}", "", "%"):
        for asked in (
            lambda id_=id_: flows.execution(ACME, id_),
            lambda id_=id_: flows.result(ACME, id_, timeout_s=0),
            lambda id_=id_: flows.cancel(ACME, id_),
            lambda id_=id_: flows.signal(ACME, id_, "go", "forged"),
        ):
            with pytest.raises(UnknownExecution) as refused:
                asked()
            assert str(refused.value) == "there is no execution by this id"
    assert flows.execution(GLOBEX, theirs.id).status == "running"
    flows.signal(GLOBEX, theirs.id, "go", "own")
    assert flows.result(GLOBEX, theirs.id, timeout_s=60) == "own"


def test_a_tenant_lists_exactly_its_own(application: Application) -> None:
    flows, name = application.workflows, unique("a_b.c")
    alike = (name, name.replace("_", "x"), f"{name}-more", name[:-1], name.upper())
    ids = {
        each: {flows.start(TenantContext(each), app.greet, n).id for n in range(2)}
        for each in alike
    }
    for each, own in ids.items():
        waited(partial(listed, application, TenantContext(each), own))
    assert flows.executions(tenant()) == []


def test_a_list_has_pages_and_names(application: Application) -> None:
    flows, context = application.workflows, tenant()
    flows.result(context, flows.start(context, app.greet).id, timeout_s=60)
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)
    flows.start(context, app.told, "go")
    waited(lambda: len(flows.executions(context)) == 2)
    assert [each.workflow for each in flows.executions(context, app.told)] == ["told"]
    assert len(flows.executions(context, limit=1)) == 1
    assert flows.executions(context, before=moment - dt.timedelta(days=1)) == []
    assert {each.workflow for each in flows.executions(context, before=moment)} >= {"greet"}


def test_with_the_same_key_a_tenant_starts_a_workflow_once(application: Application) -> None:
    flows, one, other = application.workflows, tenant(), tenant()
    first = flows.start(one, app.greet, 1, key="monday")
    assert flows.result(one, first.id, timeout_s=60)[2] == 1
    again = flows.start(one, app.greet, 2, key="monday")
    assert (again.id, again.status) == (first.id, "done")
    assert flows.result(one, again.id)[2] == 1
    assert flows.start(one, app.told, "go", key="monday").id != first.id
    theirs = flows.start(other, app.greet, 3, key="monday")
    assert theirs.id != first.id
    assert flows.result(other, theirs.id, timeout_s=60)[2] == 3


def test_an_execution_may_begin_later(application: Application) -> None:
    flows, context = application.workflows, tenant()
    started = flows.start(context, app.greet, "x", delay_s=1.0)
    with pytest.raises(ExecutionPending):
        flows.result(context, started.id, timeout_s=0)
    assert flows.result(context, started.id, timeout_s=60)[2] == "x"


def test_signals_wait_for_whom_they_are_for(application: Application) -> None:
    flows, one, other = application.workflows, tenant(), tenant()
    ours, theirs = flows.start(one, app.told_later, "go"), flows.start(other, app.told, "go")
    flows.signal(one, ours.id, "go", {"a": 1})
    flows.signal(one, ours.id, "go", 2)
    flows.signal(other, theirs.id, "else", 3)
    assert flows.result(one, ours.id, timeout_s=60) == [{"a": 1}, 2]
    with pytest.raises(WorkflowError, match="has ended"):
        flows.signal(one, ours.id, "go", 4)
    assert flows.execution(other, theirs.id).status == "running"
    flows.signal(other, theirs.id, "go", 5)
    assert flows.result(other, theirs.id, timeout_s=60) == 5


def test_what_sleeps_goes_on_in_its_context(application: Application) -> None:
    assert application.result(ACME, app.slept, 1.3)[:2] == ["acme", "ann"]


def test_a_cancelled_execution_takes_no_further_step(application: Application) -> None:
    flows, context = application.workflows, tenant()
    started = flows.start(context, app.entered, "go")
    waited(lambda: (context.tenant_id, "before") in application.noted)
    flows.cancel(context, started.id)
    waited(lambda: flows.execution(context, started.id).status == "cancelled")
    with pytest.raises(ExecutionFailed, match="was cancelled") as ended:
        flows.result(context, started.id)
    assert ended.value.status == "cancelled"
    flows.cancel(context, started.id)  # nothing
    assert (context.tenant_id, "after") not in application.noted


def test_an_execution_that_takes_too_long_is_ended(application: Application) -> None:
    flows, context = application.workflows, tenant()
    started = []
    for _ in range(10):  # at any part of a second
        started.append(flows.start(context, app.brief))
        time.sleep(0.1)
    for each in started:
        with pytest.raises(ExecutionFailed, match="longer than it may") as ended:
            flows.result(context, each.id, timeout_s=60)
        assert ended.value.status == "timed_out"


def test_what_is_cancelled_in_time_did_not_take_too_long(application: Application) -> None:
    flows, context = application.workflows, tenant()
    started = flows.start(context, app.unhurried)
    waited(lambda: (context.tenant_id, "unhurried") in application.noted)
    flows.cancel(context, started.id)
    waited(lambda: flows.execution(context, started.id).status == "cancelled")


def test_a_step_is_tried_again_in_its_context(application: Application) -> None:
    one, other = tenant(), tenant()
    assert application.result(one, app.retried, "w") == [one.tenant_id, ""]
    assert application.noted.count((one.tenant_id, "w")) == 3
    assert application.result(other, app.retried, "w") == [other.tenant_id, ""]


def test_a_step_that_fails_for_good_fails_its_execution(application: Application) -> None:
    with pytest.raises(ExecutionFailed, match="acme owes 42") as failed:
        application.result(ACME, app.failing)
    assert (failed.value.kind, failed.value.status) == ("ValueError", "failed")


def test_a_step_that_takes_too_long_has_failed(application: Application) -> None:
    with pytest.raises(ExecutionFailed) as failed:
        application.result(ACME, app.hurried)
    assert failed.value.kind == "TimeoutError"


@pytest.mark.parametrize(
    ("body", "words"), [(app.refused_step, "undeclared is no step"), (app.wrong, "must be JSON")]
)
def test_a_body_that_can_t_work_fails_with_words(
    application: Application, body: Callable[..., object], words: str
) -> None:
    with pytest.raises(ExecutionFailed, match=words) as failed:
        application.result(ACME, body)
    assert failed.value.kind == "ConfigurationError"


@pytest.mark.parametrize("body", [app.ambient, app.ambient_async])
def test_nothing_ambient_goes_from_one_execution_or_step_to_the_next(
    application: Application, body: Callable[..., object]
) -> None:
    for context in (ACME, GLOBEX, ACME):
        assert application.result(context, body)[1:] == ["", ""]
        assert application.result(context, body)[0] == ""


def test_a_suspended_tenant_s_execution_waits_and_a_deleted_one_s_ends(
    application: Application,
) -> None:
    flows, kept, gone = application.workflows, tenant(), tenant()
    for context in (kept, gone):
        flows.start(context, app.entered, "go", key="1")
    waited(lambda: {(kept.tenant_id, "before"), (gone.tenant_id, "before")} <= {*application.noted})
    for context in (kept, gone):
        application.standings.known[context.tenant_id] = "suspended"
        application.standings.passes[context.tenant_id] = 2  # for what comes now
        flows.signal(context, flows.start(context, app.entered, "go", key="1").id, "go")
        with pytest.raises(InactiveTenant):
            flows.executions(context)
    application.standings.known[gone.tenant_id] = "deleted"
    asked = application.standings.asked
    waited(lambda: asked.count(kept.tenant_id) > 6)
    del application.standings.known[kept.tenant_id]
    id_ = flows.start(kept, app.entered, "go", key="1").id
    assert flows.result(kept, id_, timeout_s=60) is None
    with pytest.raises(DeletedTenant):
        flows.executions(gone)
    del application.standings.known[gone.tenant_id]  # to look at what became of it
    id_ = flows.start(gone, app.entered, "go", key="1").id
    with pytest.raises(ExecutionFailed) as ended:
        flows.result(gone, id_, timeout_s=60)
    assert ended.value.kind == "DeletedTenant"
    assert (gone.tenant_id, "after") not in application.noted


@pytest.mark.parametrize("body", [app.suspended, app.suspended_async])
def test_a_step_is_not_taken_for_a_tenant_that_was_suspended_meanwhile(
    application: Application, body: Callable[..., object]
) -> None:
    flows, context = application.workflows, tenant()
    started = flows.start(context, body)
    standings = application.standings
    waited(lambda: context.tenant_id in standings.known)
    waited(lambda: standings.asked.count(context.tenant_id) >= 2)
    assert (context.tenant_id, "after") not in application.noted
    del standings.known[context.tenant_id]
    assert flows.result(context, started.id, timeout_s=60) is None
    assert application.noted == [(context.tenant_id, "after")]


@pytest.mark.parametrize("body", [app.noting, app.noting_async])
def test_a_body_is_not_begun_before_its_tenant_is_let_in(
    application: Application, body: Callable[..., object]
) -> None:
    flows, context, word = application.workflows, tenant(), unique()
    application.standings.known[context.tenant_id] = "suspended"
    application.standings.passes[context.tenant_id] = 1
    started = flows.start(context, body, word)
    asked = application.standings.asked
    waited(lambda: asked.count(context.tenant_id) >= 3)
    assert word not in app.BEGUN
    del application.standings.known[context.tenant_id]
    assert flows.result(context, started.id, timeout_s=60) is None
    assert word in app.BEGUN


def test_a_body_that_waits_in_its_middle_does_not_tidy_up_yet(application: Application) -> None:
    flows, context = application.workflows, tenant()
    started = flows.start(context, app.tidy, "go")
    application.result(context, app.slept, 1.2)  # meanwhile the other waits
    assert (context.tenant_id, "tidied") not in application.noted
    flows.signal(context, started.id, "go")
    assert flows.result(context, started.id, timeout_s=60) is None
    assert application.noted.count((context.tenant_id, "tidied")) == 1


def test_schedules_are_each_tenant_s_own(application: Application) -> None:
    flows, one, other = application.workflows, tenant(), tenant()
    made = flows.schedule(one, app.greet, "0 3 * * 1", {"n": 1}, timezone="Europe/Berlin")
    flows.schedule(other, app.greet, "0 4 * * *", {"n": 2}, name="nightly")
    waited(lambda: flows.schedules(one) == [made])
    waited(lambda: [each.name for each in flows.schedules(other)] == ["nightly"])
    flows.fire(one, "greet")
    waited(lambda: [each.status for each in flows.executions(one)] == ["done"])
    [fired] = flows.executions(one)
    assert flows.result(one, fired.id) == [one.tenant_id, [one.tenant_id, "", []], {"n": 1}]
    assert flows.executions(other) == []
    with pytest.raises(UnknownExecution):
        flows.fire(one, "nightly")
    flows.unschedule(one, "nightly")  # which is another's
    changed = flows.schedule(one, app.greet, "0 5 * * *")
    waited(lambda: flows.schedules(one) == [changed])
    flows.unschedule(one, "greet")
    waited(lambda: flows.schedules(one) == [])
    assert [each.name for each in flows.schedules(other)] == ["nightly"]


def test_a_schedule_may_be_said_by_many_at_once(application: Application) -> None:
    flows, context = application.workflows, tenant()
    with ThreadPoolExecutor(8) as threads:
        said = [threads.submit(flows.schedule, context, app.greet, "0 3 * * 1") for _ in range(8)]
    made = said[0].result()
    assert [each.result() for each in said] == [made] * 8
    waited(lambda: flows.schedules(context) == [made])


def test_a_suspended_tenant_s_schedule_is_passed_over(application: Application) -> None:
    flows, context = application.workflows, tenant()
    flows.schedule(context, app.greet, "0 3 * * *")
    application.standings.known[context.tenant_id] = "suspended"
    engine = application.workflows._engine  # noqa: SLF001 - as the clock does, for nobody
    asked = application.standings.asked.count(context.tenant_id)
    assert engine.fire(context.tenant_id, "greet")
    waited(lambda: application.standings.asked.count(context.tenant_id) > asked)
    del application.standings.known[context.tenant_id]
    assert application.result(context, app.greet)  # a turn of the worker's
    assert len(flows.executions(context)) <= 1


@pytest.mark.parametrize(
    ("cron", "timezone"),
    [
        *(("0 3 * *", "UTC"), ("x 3 * * *", "UTC")),
        *(("0 3 * * *", zone) for zone in ("Mars/Olympus", "Europe", "", "z" * 300)),
    ],
)
def test_what_is_no_schedule_is_refused(application: Application, cron: str, timezone: str) -> None:
    with pytest.raises(ConfigurationError):
        application.workflows.schedule(tenant(), app.greet, cron, timezone=timezone)


def test_async_code_has_the_same(application: Application) -> None:
    flows, context = application.workflows, tenant()

    async def using() -> object:
        started = await flows.async_start(context, app.told, "go", key="1")
        await flows.async_signal(context, started.id, "go", 7)
        result = await flows.async_result(context, started.id, timeout_s=60)
        with pytest.raises(UnknownExecution):
            await flows.async_cancel(ACME, started.id)
        assert (await flows.async_execution(context, started.id)).status == "done"
        return result

    assert asyncio.run(using()) == 7
    waited(lambda: len(asyncio.run(flows.async_executions(context))) == 1)


def test_nobody_s_workflow_is_not_started(application: Application) -> None:
    with pytest.raises(MissingTenant):
        application.workflows.start(None, app.greet)  # type: ignore[arg-type]  # the point
    with pytest.raises(MissingTenant):
        application.workflows.executions("acme")  # type: ignore[arg-type]  # the point
    with pytest.raises(ConfigurationError, match="is no workflow"):
        application.workflows.start(ACME, app.undeclared)
    with pytest.raises(ConfigurationError, match="must be JSON"):
        application.workflows.start(ACME, app.greet, object())
    with pytest.raises(ConfigurationError, match="launched already"):
        application.workflows.launch()
