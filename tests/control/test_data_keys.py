"""The tenants' wrapped keys: who may read them, and how they go with their tenant."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import insert

from partywall.control import tables
from partywall.control.data_keys import DataKeys, WrappedKey
from partywall.control.database import Database, new_id, now
from partywall.errors import DeletedTenant, UnknownTenant
from tests.control.house import House
from tests.control.planes import prepared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Database as Place


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with prepared(request.param, request) as url:
        yield url


@pytest.fixture
def house(url: str) -> Iterator[House]:
    house = House(url)
    with house.plane:
        yield house


def wrapped(tenant_id: str, number: int = 1) -> WrappedKey:
    return WrappedKey(new_id(), tenant_id, "seal", number, "kek", b"wrapped", now())


def test_a_removal_shreds_the_keys_before_anything_else_is_erased(house: House) -> None:
    tenant_id, other = house.settled(), house.settled()
    keys = DataKeys(house.plane.database)
    for each in (tenant_id, other):
        assert keys.add(wrapped(each))
        assert keys.add(wrapped(each, 2))
    work_id = house.plane.remove(tenant_id, grace=dt.timedelta())
    house.fails("erase", psycopg.OperationalError(), *[psycopg.OperationalError()] * 2)
    house.works.run(work_id)
    assert house.tenant(tenant_id).status == "deleted"
    assert house.site.stands(tenant_id)  # the place could not be erased, and says nothing any more
    assert (keys.of(tenant_id), len(keys.of(other))) == ([], 2)
    certificate = house.work(tenant_id).certificate
    assert certificate is not None
    assert certificate["shred"]["data_keys"] == 2  # type: ignore[index]  # of a step
    assert "data_keys.shredded" in house.actions(tenant_id)
    with pytest.raises(DeletedTenant):
        keys.add(wrapped(tenant_id, 3))


def test_a_tenant_that_is_kept_keeps_its_keys(house: House) -> None:
    tenant_id = house.settled()
    keys = DataKeys(house.plane.database)
    keys.add(wrapped(tenant_id))
    house.plane.remove(tenant_id, grace=dt.timedelta(hours=1))
    house.plane.keep(tenant_id)
    assert len(keys.of(tenant_id)) == 1


def test_of_two_keys_with_one_number_the_first_stays(house: House) -> None:
    tenant_id = house.settled()
    keys = DataKeys(house.plane.database)
    first = wrapped(tenant_id)
    assert keys.add(first)
    assert not keys.add(wrapped(tenant_id))
    assert [key.id for key in keys.of(tenant_id)] == [first.id]
    for stranger in (new_id(), "", "acme"):
        with pytest.raises(UnknownTenant):
            keys.add(wrapped(stranger))


def test_a_wrapped_key_is_not_shown(house: House) -> None:
    assert "wrapped=" not in repr(wrapped(house.settled()))


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_no_login_but_the_house_s_own_reads_the_keys(database: Place) -> None:
    database.execute("CREATE ROLE keeper LOGIN; CREATE ROLE app LOGIN; CREATE ROLE audit LOGIN")
    database.execute(f"GRANT CREATE ON DATABASE {database.name} TO keeper")
    from partywall.control.migrations import migrate  # noqa: PLC0415 - imports Alembic

    house = Database(database.url("keeper"))
    migrate(house)
    keys = DataKeys(house)
    with house.begin() as connection:
        moment = now()
        row: dict[str, object] = {
            "id": new_id(),
            "slug": "acme",
            "name": "Acme",
            "status": "active",
            "settings": {},
        }
        row |= {"created_at": moment, "changed_at": moment}
        connection.execute(insert(tables.tenants), row)
    keys.add(wrapped(str(row["id"])))
    ask = "SELECT wrapped FROM partywall.data_keys"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.rows(ask, user="app")
    assert keys.readers() == ()
    database.execute("GRANT USAGE ON SCHEMA partywall TO app, audit")
    assert keys.readers() == ()
    database.execute("GRANT SELECT (wrapped) ON partywall.data_keys TO app")
    database.execute("GRANT DELETE ON partywall.data_keys TO audit")
    assert keys.readers() == ("app", "audit")
    assert database.rows(ask, user="app")
    house.close()
