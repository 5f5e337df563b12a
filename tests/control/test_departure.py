"""How a tenant goes: nobody gets in, a grace period, then the data is gone; or it is kept."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from partywall.control import database, memberships, registration, tables, works
from partywall.control.provisioning import acting, records
from partywall.control.registration import NewUser
from partywall.errors import DeletedTenant, PartywallError, RecordConflict, WorkError
from tests.control.house import House
from tests.control.planes import prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


AT_ONCE = dt.timedelta()


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with prepared(request.param, request) as url:
        yield url


@pytest.fixture
def house(url: str) -> Iterator[House]:
    house = House(url)
    with house.plane:
        yield house


def test_a_removal_lets_nobody_in_and_deletes_after_its_grace_period(house: House) -> None:
    tenant_id = house.settled()
    work_id = house.plane.remove(tenant_id, grace=AT_ONCE, by="ann")
    assert house.tenant(tenant_id).status == "suspended"
    assert house.works.run(work_id) == [
        "open : remove depart shred erase certify",
        "do depart: done",
        "do shred: done",
        "do erase: done",
        "do certify: done",
    ]
    assert house.tenant(tenant_id).status == "deleted"
    assert not house.site.stands(tenant_id)
    assert house.actions(tenant_id)[-2:] == ["tenant.removal_begun", "tenant.removed"]
    certificate = house.work(tenant_id).certificate
    assert certificate is not None
    assert certificate["erase"]["rows"] == 1  # type: ignore[index]  # of a step
    assert certificate["records"]["memberships"] == 1  # type: ignore[index]  # of a step
    with house.plane.database.reading() as connection:
        assert memberships.listed(connection, tenant_id) == []


def test_what_a_step_removed_first_is_not_overwritten_by_its_repetition(house: House) -> None:
    tenant_id = house.settled()
    work_id = house.plane.remove(tenant_id, grace=AT_ONCE)
    for step in ["depart", "erase", "erase"]:
        house.saga.act(work_id, "do", step)
    certificate = house.work(tenant_id).certificate
    assert certificate is not None
    assert certificate["erase"]["rows"] == 1  # type: ignore[index]  # of a step


def test_a_tenant_that_is_gone_is_not_removed_again(house: House) -> None:
    tenant_id = house.settled()
    house.works.run(house.plane.remove(tenant_id, grace=AT_ONCE))
    with pytest.raises(DeletedTenant):
        house.plane.remove(tenant_id, grace=AT_ONCE)
    assert house.work(tenant_id).state == "done"


def test_the_slug_of_a_removed_tenant_can_be_taken_again(house: House) -> None:
    tenant_id = house.settled()
    slug = house.tenant(tenant_id).slug
    house.works.run(house.plane.remove(tenant_id, grace=AT_ONCE))
    owner = NewUser(f"bob@{slug}.example.com")
    assert house.plane.register(slug=slug, name="Acme", owner=owner).tenant.slug == slug


def test_nothing_is_removed_before_the_grace_period_has_ended(house: House) -> None:
    tenant_id = house.settled()
    work_id = house.plane.remove(tenant_id, grace=dt.timedelta(hours=1))
    with pytest.raises(WorkError, match="has not ended"):
        house.works.run(work_id)
    assert (house.tenant(tenant_id).status, house.site.notes(tenant_id)) == ("suspended", 1)


def test_a_process_whose_clock_is_wrong_removes_nothing_too_early(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    if house.plane.database.sqlite:
        return  # all its processes have the clock of one machine
    tenant_id = house.settled()
    work_id = house.plane.remove(tenant_id, grace=dt.timedelta(hours=1))
    monkeypatch.setattr(acting, "now", lambda: database.now() + dt.timedelta(hours=2))
    monkeypatch.setattr(registration, "clock", lambda _: pytest.fail("not asked again"))
    with pytest.raises(WorkError, match="has not ended"):
        house.works.run(work_id)
    assert house.work(tenant_id).not_before is not None


def test_retries_at_once_make_one_work(house: House) -> None:
    tenant_id, work_id = house.register()
    house.fails("smoke", WorkError("no"))
    house.works.run(work_id)
    outcomes = at_once(*[lambda: house.plane.retry(tenant_id)] * 8)
    assert outcomes.count("RecordConflict") == 7
    (again,) = set(outcomes) - {"RecordConflict"}
    house.works.run(again)
    assert (house.tenant(tenant_id).status, house.site.notes(tenant_id)) == ("active", 1)


def test_a_removal_its_revocation_and_its_work_at_once_end_in_one_of_the_two(house: House) -> None:
    for _ in range(5):
        tenant_id = house.settled()
        work_id = house.plane.remove(tenant_id, grace=AT_ONCE)
        at_once(
            partial(house.works.run, work_id),
            partial(house.plane.keep, tenant_id),
            partial(house.plane.keep, tenant_id),
            partial(house.plane.remove, tenant_id, grace=AT_ONCE),
        )
        for started in house.works.started:
            house.works.run(started)
        found = (house.tenant(tenant_id).status, house.site.notes(tenant_id))
        assert found in {("active", 1), ("deleted", None)}
        with house.plane.database.reading() as connection:
            unfinished = works.unfinished(connection, house.works.name)
        assert tenant_id not in {work.tenant_id for work in unfinished}


def at_once(*what: Callable[[], object]) -> list[str]:
    """How these end, in threads that begin together: what they return, or raise."""
    together = threading.Barrier(len(what))

    def outcome(one: Callable[[], object]) -> str:
        together.wait(10)
        try:
            return str(one())
        except PartywallError as error:
            return type(error).__name__

    with ThreadPoolExecutor(len(what)) as threads:
        return list(threads.map(outcome, what))


def test_a_removal_can_be_revoked_before_it_begins(house: House) -> None:
    tenant_id = house.settled()
    work_id = house.plane.remove(tenant_id, grace=AT_ONCE)
    assert house.plane.keep(tenant_id, by="ann").status == "active"
    assert house.works.run(work_id) == ["open : nothing"]
    assert (house.work(tenant_id).state, house.site.notes(tenant_id)) == ("kept", 1)
    with pytest.raises(RecordConflict, match="no removal"):
        house.plane.keep(tenant_id)


def test_a_removal_that_has_begun_can_not_be_revoked(house: House) -> None:
    tenant_id = house.settled()
    work_id = house.plane.remove(tenant_id, grace=AT_ONCE)
    house.saga.act(work_id, "do", "depart")
    with pytest.raises(RecordConflict, match="no removal"):
        house.plane.keep(tenant_id)
    assert house.tenant(tenant_id).status == "deleted"


def test_a_tenant_that_was_let_in_again_is_not_removed(house: House) -> None:
    tenant_id = house.settled()
    work_id = house.plane.remove(tenant_id, grace=AT_ONCE)
    house.status(tenant_id, "active")
    house.works.run(work_id)
    work = house.work(tenant_id)
    assert (work.state, work.reason) == (
        "failed",
        "depart: the tenant is active again and was not removed",
    )
    assert (house.tenant(tenant_id).status, house.site.notes(tenant_id)) == ("active", 1)


def test_a_removal_that_failed_keeps_everybody_out_and_can_be_retried(house: House) -> None:
    tenant_id = house.settled()
    house.fails("erase", WorkError("held open"))
    house.works.run(house.plane.remove(tenant_id, grace=AT_ONCE))
    work = house.work(tenant_id)
    assert (work.state, work.reason) == ("failed", "erase: WorkError: held open")
    assert house.tenant(tenant_id).status == "deleted"
    house.works.run(house.plane.retry(tenant_id))
    assert (house.work(tenant_id).state, house.site.stands(tenant_id)) == ("done", False)


def test_a_failed_tenant_can_be_removed(house: House) -> None:
    tenant_id, work_id = house.register()
    house.fails("smoke", WorkError("no"))
    house.works.run(work_id)
    house.works.run(house.plane.remove(tenant_id, grace=AT_ONCE))
    assert (house.tenant(tenant_id).status, house.work(tenant_id).state) == ("deleted", "done")


def test_a_tenant_is_not_removed_while_it_is_provisioned(house: House) -> None:
    tenant_id, work_id = house.register()
    with pytest.raises(RecordConflict):
        house.plane.remove(tenant_id, grace=AT_ONCE)
    house.works.run(work_id)
    assert house.tenant(tenant_id).status == "active"


def test_a_tenant_is_removed_once(house: House) -> None:
    tenant_id = house.settled()
    house.plane.remove(tenant_id, grace=AT_ONCE)
    with pytest.raises(RecordConflict, match="at this moment"):
        house.plane.remove(tenant_id, grace=AT_ONCE)


def test_provisioning_and_removal_at_once_end_in_one_of_the_two(house: House) -> None:
    tenant_id, work_id = house.register()
    provisioning = threading.Thread(target=house.works.noted, args=(work_id,))
    refused, removal = 0, ""
    while not removal:
        try:
            removal = house.plane.remove(tenant_id, grace=AT_ONCE)
        except RecordConflict:
            if not refused:
                provisioning.start()
            refused += 1
    house.works.run(removal)
    provisioning.join()
    assert house.works.errors == []
    assert (house.tenant(tenant_id).status, house.site.stands(tenant_id)) == ("deleted", False)
    with house.plane.database.reading() as connection:
        query = select(tables.works.c.state).where(tables.works.c.tenant_id == tenant_id)
        states = connection.execute(query).scalars().all()
    assert (states, refused > 0) == (["done", "done"], True)


def test_every_table_that_names_a_tenant_is_emptied_or_stays_on_purpose() -> None:
    named = {table.name for table in tables.metadata.tables.values() if "tenant_id" in table.c}
    emptied = {table.name for table in records.RECORDS}
    assert named - emptied == {"works", "audit_log"}
