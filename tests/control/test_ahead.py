"""Schemas made ahead: handed out whole, each once, and never those of older tables."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, Integer, Table, text

from partywall.control.provisioning.ahead import Ahead
from partywall.control.provisioning.building import Building
from partywall.errors import TenantExists
from partywall.isolation.naming import identifier, physical_name, tenant_of
from tests.control.crashes import crashing
from tests.control.lodgings import deleted, lodging, own_tables, tenant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from partywall.control.tenants import Tenant
    from tests.conftest import Database
    from tests.control.lodgings import Lodging

READY = "SELECT oid, nspname FROM pg_namespace WHERE nspname LIKE '\\_ready\\_%' ORDER BY 2"
NAMED = "SELECT oid FROM pg_namespace WHERE nspname = '{}'"


@pytest.fixture(params=["schemas", "roles"])
def house(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Lodging]:
    """A house whose stock is replenished when a test says so."""
    monkeypatch.setattr(Ahead, "wake", lambda _: None)
    with lodging(request.param, tmp_path, database) as found:
        yield found


def ready(house: Lodging) -> dict[int, str]:
    assert house.database is not None
    return dict(house.database.rows(READY))


def made_as(house: Lodging, new: Tenant) -> int:
    assert house.database is not None
    ((oid,),) = house.database.rows(NAMED.format(physical_name(new.id)))
    return int(oid)


def provisioned(building: Building, new: Tenant) -> dict[str, object]:
    return {step.name: dict(step.do(new)) for step in building.provisioning()}


def test_a_tenant_gets_a_schema_that_was_ready(house: Lodging) -> None:
    building = house.another(ahead=2)
    assert building.replenish() == 2
    assert building.replenish() == 0
    before = ready(house)
    new = tenant()
    said = provisioned(building, new)
    assert said["create"] == {"with_tables": True}
    assert house.names(new) == ["first"]
    house.row(new, "second")
    assert made_as(house, new) in before
    assert len(ready(house)) == 1
    for step in building.removal():
        step.do(deleted(new))


def test_no_tenant_could_bear_the_name_of_what_is_ready(house: Lodging) -> None:
    house.another(ahead=1).replenish()
    (name,) = ready(house).values()
    assert tenant_of(name, "t_") is None
    assert not name[0].isalpha()  # with which every prefix begins


def test_without_a_stock_a_tenant_is_made_as_ever(house: Lodging) -> None:
    new = tenant()
    assert provisioned(house.another(ahead=3), new)["create"] == {"with_tables": False}
    assert house.names(new) == ["first"]


def test_a_stock_of_older_tables_is_dropped_and_never_handed_out(house: Lodging) -> None:
    house.another(ahead=2).replenish()
    newer = own_tables()
    Table("more", newer, Column("id", Integer, primary_key=True))
    building = house.another(ahead=1, schema=newer)
    old = ready(house)
    new = tenant()
    assert provisioned(building, new)["create"] == {"with_tables": False}
    assert building.replenish() == 1
    assert not ready(house).keys() & old.keys()
    assert len(ready(house)) == 1


def test_many_at_once_get_one_each(house: Lodging) -> None:
    building = house.another(ahead=4, seed=None)
    building.replenish()
    before = ready(house)
    many = [tenant() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(building.provisioning()[0].do, many))
    given = [made_as(house, new) for new in many]
    assert len(set(given)) == 6
    assert len(before.keys() & set(given)) == 4
    assert ready(house) == {}


def test_several_processes_do_not_overfill_it(house: Lodging) -> None:
    buildings = [house.another(ahead=2) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(Building.replenish, buildings)) == 2
    assert len(ready(house)) == 2


def test_a_crash_while_one_is_handed_out_loses_none(house: Lodging) -> None:
    building = house.another(ahead=1)
    building.replenish()
    before = ready(house)
    new = tenant()
    for _ in range(2):
        with crashing(1):
            building.provisioning()[0].do(new)
    provisioned(building, new)
    assert made_as(house, new) in before
    assert house.names(new) == ["first"]


def test_a_crash_while_one_is_made_leaves_nothing_half_made(house: Lodging) -> None:
    building = house.another(ahead=1)
    assert building.replenish() == 1  # connect, and compile, outside of the count
    provisioned(building, tenant())
    for at in (1, 2):
        with crashing(at) as reached:
            building.replenish()
        assert reached
        assert ready(house) == {}
    assert building.replenish() == 1


def test_a_schema_that_is_there_costs_no_stock(house: Lodging) -> None:
    assert house.database is not None
    building = house.another(ahead=1)
    building.replenish()
    new = tenant()
    house.database.execute(f"CREATE SCHEMA {identifier(physical_name(new.id))}")
    with pytest.raises(TenantExists):
        provisioned(building, new)
    assert len(ready(house)) == 1


def test_a_schema_that_only_looks_ready_is_left_alone(house: Lodging) -> None:
    assert house.database is not None
    house.database.execute("CREATE SCHEMA _ready_or_not")
    building = house.another(ahead=1)
    building.replenish()
    provisioned(building, tenant())
    provisioned(building, tenant())
    assert list(ready(house).values()) == ["_ready_or_not"]


def test_a_function_with_a_version_can_make_them(house: Lodging) -> None:
    def migrate(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE customers (id int PRIMARY KEY, name text)"))

    building = house.another(ahead=1, schema=migrate, version="1")
    building.replenish()
    new = tenant()
    assert provisioned(building, new)["create"] == {"with_tables": True}
    assert house.names(new) == ["first"]
    house.another(ahead=0, schema=migrate, version="2")
    assert house.another(ahead=1, schema=migrate, version="2").replenish() == 1


def test_the_stock_is_replenished_when_one_was_taken(tmp_path: Path, database: Database) -> None:
    with lodging("schemas", tmp_path, database) as house:
        building = house.another(ahead=2)
        provisioned(building, tenant())
        building.close()
        assert len(ready(house)) == 2
