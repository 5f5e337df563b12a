"""A tenant that is kept after all stands again as it stood before its removal began."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from partywall.control import tenants
from partywall.errors import WorkError
from tests.control.house import House
from tests.control.planes import prepared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.control.tenants import Tenant

LATER = dt.timedelta(days=1)


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with prepared(request.param, request) as url:
        yield url


@pytest.fixture
def house(url: str) -> Iterator[House]:
    house = House(url)
    with house.plane:
        yield house


def suspend(house: House, tenant_id: str, reason: str) -> None:
    with house.plane.database.begin() as connection:
        tenants.set_status(connection, tenant_id, "suspended", reason=reason)


def kept(house: House, tenant_id: str) -> Tenant:
    """The tenant as it is told, which is as it stands."""
    told = house.plane.keep(tenant_id, by="ann")
    assert told == house.tenant(tenant_id)
    return told


def test_who_was_active_is_active(house: House) -> None:
    tenant_id = house.settled()
    house.plane.remove(tenant_id, grace=LATER)
    assert house.tenant(tenant_id).reason.startswith("to be removed")
    assert (kept(house, tenant_id).status, house.tenant(tenant_id).reason) == ("active", "")


@pytest.mark.parametrize("reason", ["unpaid", "", "to be removed", "to be removed by the work "])
def test_who_was_suspended_is_suspended_for_the_same_reason(house: House, reason: str) -> None:
    tenant_id = house.settled()
    suspend(house, tenant_id, reason)
    house.plane.remove(tenant_id, grace=LATER)
    found = kept(house, tenant_id)
    assert (found.status, found.reason) == ("suspended", reason)


def test_who_had_failed_has_failed(house: House) -> None:
    tenant_id, work_id = house.register()
    house.fails("smoke", WorkError("no walls"))
    house.works.run(work_id)
    before = house.tenant(tenant_id)
    assert before.status == "failed"
    house.plane.remove(tenant_id, grace=LATER)
    assert kept(house, tenant_id) == before


def test_who_was_suspended_in_the_grace_period_stays_so(house: House) -> None:
    tenant_id = house.settled()
    house.plane.remove(tenant_id, grace=LATER)
    house.status(tenant_id, "active")
    suspend(house, tenant_id, "fraud")
    found = kept(house, tenant_id)
    assert (found.status, found.reason) == ("suspended", "fraud")


def test_what_an_earlier_removal_said_is_no_reason_of_the_next(house: House) -> None:
    tenant_id = house.settled()
    house.plane.remove(tenant_id, grace=LATER)
    said = house.tenant(tenant_id).reason
    house.plane.keep(tenant_id)
    suspend(house, tenant_id, said)
    house.plane.remove(tenant_id, grace=LATER)
    assert (kept(house, tenant_id).status, house.tenant(tenant_id).reason) == ("suspended", said)
