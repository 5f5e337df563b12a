"""What a work does: its steps in order, or undone in reverse; noted, alone, and safe to repeat."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import update

from partywall.control import tables, works
from partywall.control.provisioning.saga import Act, course
from partywall.errors import RecordConflict, UnknownTenant, WorkError
from tests.control.house import House
from tests.control.planes import prepared

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with prepared(request.param, request) as url:
        yield url


@pytest.fixture
def house(url: str) -> Iterator[House]:
    house = House(url)
    with house.plane:
        yield house


def taken(answers: dict[str, str], *, kind: str = "provision") -> list[str]:
    """The acts that a course asks for."""
    conversation = course()
    act = next(conversation)
    acts = []
    while True:
        words = f"{act.kind} {act.step}".strip()
        acts.append(words)
        steps = [kind, "a", "b", "c"]
        try:
            act = conversation.send(steps if words == "open" else [answers.get(words, "done")])
        except StopIteration:
            return acts


def test_steps_are_taken_in_order() -> None:
    assert taken({}) == ["open", "do a", "do b", "do c"]


def test_a_step_that_fails_is_undone_with_all_before_it_in_reverse() -> None:
    assert taken({"do b": "failed"}) == ["open", "do a", "do b", "undo b", "undo a", "fail"]


def test_what_can_not_be_undone_does_not_keep_the_rest_from_it() -> None:
    acts = taken({"do b": "failed", "undo b": "failed"})
    assert acts == ["open", "do a", "do b", "undo b", "undo a", "fail stuck"]


def test_a_removal_is_not_undone() -> None:
    assert taken({"do b": "failed"}, kind="remove") == ["open", "do a", "do b", "fail"]


@pytest.mark.parametrize("last", ["do a", "undo a"])
def test_nothing_more_is_done_for_a_work_that_is_over(last: str) -> None:
    acts = taken({last: "over", "do b": "failed" if last == "undo a" else "done"})
    assert acts[-1] == last


def test_a_provisioning_ends_with_an_active_tenant(house: House) -> None:
    tenant_id, work_id = house.register()
    assert (house.tenant(tenant_id).status, house.work(tenant_id).state) == (
        "provisioning",
        "begun",
    )
    assert house.works.run(work_id) == [
        "open : provision create seed smoke activate",
        "do create: done",
        "do seed: done",
        "do smoke: done",
        "do activate: done",
    ]
    work = house.work(tenant_id)
    assert (work.state, work.step, work.reason) == ("done", "activate", "")
    assert house.tenant(tenant_id).status == "active"
    assert house.site.notes(tenant_id) == 1
    assert house.actions(tenant_id) == ["tenant.registered", "tenant.provisioned"]


def test_progress_can_be_read_while_a_step_runs(house: House) -> None:
    tenant_id, work_id = house.register()
    seen: list[str] = []
    inside = house.inside

    def look(step: str) -> None:
        seen.append(f"{step}: {house.work(tenant_id).step}")
        inside(step)

    house.site.inside = look
    house.works.run(work_id)
    assert seen == ["create: create", "seed: seed", "smoke: smoke"]


def test_a_step_that_fails_leaves_a_failed_tenant_and_nothing_else(house: House) -> None:
    tenant_id, work_id = house.register()
    house.fails("smoke", WorkError("the walls do not hold"))
    acts = house.works.run(work_id)
    assert acts[-4:] == ["undo smoke: done", "undo seed: done", "undo create: done", "fail : done"]
    tenant, work = house.tenant(tenant_id), house.work(tenant_id)
    assert (tenant.status, work.state, work.step) == ("failed", "failed", "smoke")
    assert tenant.reason == work.reason == "smoke: WorkError: the walls do not hold"
    assert not house.site.stands(tenant_id)
    assert house.actions(tenant_id) == ["tenant.registered", "tenant.provision_failed"]


def test_what_was_decided_is_not_tried_again(house: House) -> None:
    _, work_id = house.register()
    house.fails("smoke", WorkError("the walls do not hold"))
    house.works.run(work_id)
    assert house.visited.count("smoke") == 1


def test_what_may_pass_is_tried_again(house: House) -> None:
    tenant_id, work_id = house.register()
    house.fails("seed", psycopg.OperationalError("gone"), psycopg.OperationalError("gone"))
    house.works.run(work_id)
    assert house.visited.count("seed") == 3
    assert house.tenant(tenant_id).status == "active"


def test_a_reason_quotes_no_row(house: House) -> None:
    tenant_id, work_id = house.register()
    secret = psycopg.errors.UniqueViolation("Key (email)=(ann@example.com) already exists.")
    house.fails("seed", secret, secret, secret)
    house.works.run(work_id)
    assert house.tenant(tenant_id).reason == "seed: UniqueViolation (SQLSTATE 23505)"


def test_what_can_not_be_undone_is_stuck(house: House) -> None:
    tenant_id, work_id = house.register()
    house.fails("smoke", WorkError("no"))
    house.fails("drop", WorkError("held open"))
    house.works.run(work_id)
    tenant, work = house.tenant(tenant_id), house.work(tenant_id)
    assert (tenant.status, work.state) == ("failed", "stuck")
    assert work.reason == "smoke: WorkError: no; undo of create: WorkError: held open"


@pytest.mark.parametrize("broken", ["", "smoke"])
def test_every_act_may_be_taken_twice(house: House, broken: str) -> None:
    tenant_id, work_id = house.register()
    if broken:
        house.fails(broken, WorkError("no"), WorkError("no"))
    saga = house.saga

    class Twice:
        database = saga.database

        def act(self, *words: str) -> list[str]:
            saga.act(*words)  # type: ignore[arg-type]  # passed on
            return saga.act(*words)  # type: ignore[arg-type]  # passed on

        unfinished = saga.unfinished

    house.works.launch(Twice())
    house.works.run(work_id)
    expected = ("failed", False) if broken else ("active", True)
    assert (house.tenant(tenant_id).status, house.site.stands(tenant_id)) == expected


def test_who_comes_after_the_end_can_do_nothing_any_more(house: House) -> None:
    tenant_id, work_id = house.register()
    house.works.run(work_id)
    house.fails("create", WorkError("no"))
    late = [Act("open"), Act("do", "create"), Act("undo", "create"), Act("fail")]
    answers = [house.saga.act(work_id, act.kind, act.step) for act in late]
    assert answers == [["nothing"], ["over"], ["over"], ["over"]]
    assert (house.tenant(tenant_id).status, house.site.notes(tenant_id)) == ("active", 1)


def test_once_a_step_has_failed_nobody_goes_on(house: House) -> None:
    tenant_id, work_id = house.register()
    house.fails("seed", WorkError("no"))
    assert house.saga.act(work_id, "do", "create") == ["done"]
    assert house.saga.act(work_id, "do", "seed") == ["failed"]
    for step in ["seed", "smoke", "activate"]:
        assert house.saga.act(work_id, "do", step) == ["failed"]
    acts = house.works.run(work_id)  # another run of it, from the beginning
    assert acts[1:] == [
        "do create: done",  # by the first run
        "do seed: failed",
        "undo seed: done",
        "undo create: done",
        "fail : done",
    ]
    assert house.visited.count("create") == 1
    assert (house.tenant(tenant_id).status, house.site.stands(tenant_id)) == ("failed", False)


def test_two_runs_of_one_work_never_act_at_once(house: House) -> None:
    tenant_id, work_id = house.register()
    within: list[str] = []
    together: list[str] = []

    def inside(step: str) -> None:
        within.append(step)
        if len(within) > 1:
            together.append(step)
        time.sleep(0.05)
        within.pop()

    house.site.inside = inside
    runs = [threading.Thread(target=house.works.noted, args=(work_id,)) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert (together, house.works.errors) == ([], [])
    assert (house.tenant(tenant_id).status, house.site.notes(tenant_id)) == ("active", 1)
    assert house.actions(tenant_id).count("tenant.provisioned") == 1


def test_many_works_at_once_leave_connections_for_others(house: House) -> None:
    registered = [house.register() for _ in range(8)]
    go_on = threading.Event()
    house.site.inside = lambda _: assert_set(go_on)
    runs = [threading.Thread(target=house.works.noted, args=(work,)) for _, work in registered]
    for run in runs:
        run.start()
    time.sleep(0.5)
    looking = threading.Thread(target=house.work, args=(registered[0][0],))
    looking.start()
    looking.join(5)
    found = not looking.is_alive()
    go_on.set()
    for run in [*runs, looking]:
        run.join()
    assert (found, house.works.errors) == (True, [])
    assert {house.tenant(tenant).status for tenant, _ in registered} == {"active"}


def assert_set(event: threading.Event) -> None:
    assert event.wait(20)


def test_a_failed_provisioning_can_be_retried(house: House) -> None:
    tenant_id, work_id = house.register()
    house.fails("smoke", WorkError("no"))
    house.works.run(work_id)
    again = house.plane.retry(tenant_id, by="operator")
    tenant = house.tenant(tenant_id)
    assert (tenant.status, tenant.reason) == ("provisioning", "")
    house.works.run(again)
    assert (house.tenant(tenant_id).status, house.site.notes(tenant_id)) == ("active", 1)


def test_only_what_has_failed_is_retried(house: House) -> None:
    tenant_id = house.settled()
    with pytest.raises(RecordConflict, match="nothing to retry"):
        house.plane.retry(tenant_id)
    with pytest.raises(UnknownTenant):
        house.plane.retry("6f9619ff-8b86-d011-b42d-00c04fc964ff")


def test_a_tenant_that_was_suspended_meanwhile_is_not_activated(house: House) -> None:
    tenant_id, work_id = house.register()
    for step in ["create", "seed", "smoke"]:
        house.saga.act(work_id, "do", step)
    with house.plane.database.begin() as connection:
        changed = update(tables.tenants).values(status="suspended")
        connection.execute(changed.where(tables.tenants.c.id == tenant_id))
    house.works.run(work_id)
    found = (
        house.tenant(tenant_id).status,
        house.work(tenant_id).state,
        house.site.stands(tenant_id),
    )
    assert found == ("suspended", "failed", False)


def test_two_works_of_one_tenant_can_not_begin(house: House) -> None:
    tenant_id, _ = house.register()
    with house.plane.database.begin() as connection, pytest.raises(RecordConflict):
        works.begin(
            connection, "0" * 8 + "-0000-4000-8000-" + "0" * 12, tenant_id, "remove", engine="x"
        )
