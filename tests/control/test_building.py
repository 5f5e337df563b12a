"""What provisioning makes, takes back and removes: for every isolation model, on real servers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, event, text
from sqlalchemy.exc import ProgrammingError

from partywall import DatabasePerTenant, FilePerTenant
from partywall.control.provisioning.building import Building
from partywall.control.provisioning.sites import rows
from partywall.control.provisioning.sites.marked import MarkedSite
from partywall.errors import (
    ConfigurationError,
    DeletedTenant,
    PartywallError,
    TenantError,
    TenantExists,
    WorkError,
)
from partywall.isolation.naming import identifier, physical_name
from tests.conftest import clear
from tests.control.crashes import crashing
from tests.control.lodgings import (
    KINDS,
    ROLES,
    deleted,
    lodging,
    own_tables,
    sow,
    sow_shared,
    tenant,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

    from partywall.control.tenants import Tenant
    from partywall.runtime.directory import Standing
    from partywall.servers import Postgres
    from tests.conftest import Database
    from tests.control.lodgings import Lodging

SHARED = ["rows", "sealed", "scoped", "scoped_sqlite"]


@pytest.fixture
def house(kind: str, tmp_path: Path, database: Database) -> Iterator[Lodging]:
    with lodging(kind, tmp_path, database) as found:
        yield found


def provision(building: Building, new: Tenant, *, upto: str = "smoke") -> dict[str, object]:
    said: dict[str, object] = {}
    for step in building.provisioning():
        said[step.name] = dict(step.do(new))
        if step.name == upto:
            break
    return said


def undo(building: Building, new: Tenant) -> None:
    for step in reversed(building.provisioning()):
        step.undo(new)


def remove(building: Building, old: Tenant) -> dict[str, dict[str, object]]:
    return {step.name: dict(step.do(old)) for step in building.removal()}


def traces(house: Lodging, of: Tenant) -> list[str]:
    """What is there under the tenant's name, or is being made for anybody; rows where shared."""
    if isinstance(house.model, FilePerTenant):
        return [str(path) for path in Path(house.model.folder).rglob("*") if path.is_file()]
    if house.shared:
        return house.names(of)
    assert house.database is not None
    name = physical_name(of.id)
    found = "SELECT nspname, 'schema' FROM pg_namespace UNION ALL "
    found += "SELECT rolname, 'role' FROM pg_roles UNION ALL "
    found += "SELECT datname, 'database' FROM pg_database"
    rows = house.database.rows(f"SELECT * FROM ({found}) AS f (name, kind) ORDER BY 2")
    return [kind for each, kind in rows if each == name or each.startswith("_")]


@pytest.mark.parametrize("kind", KINDS)
def test_each_step_may_run_twice(house: Lodging) -> None:
    new = tenant()
    for step in house.building.provisioning():
        first = step.do(new)
        assert set(step.do(new)) == set(first), step.name
    assert house.names(new) == ["first"]
    house.row(new, "second")
    assert sorted(house.names(new)) == ["first", "second"]


@pytest.mark.parametrize("kind", ["roles", "logins"])
@pytest.mark.parametrize("server", ["postgres18"], indirect=True)
def test_an_owner_that_is_no_superuser_will_do_on_the_newest_server(house: Lodging) -> None:
    new = tenant()
    provision(house.building, new)
    undo(house.building, new)
    provision(house.building, new)
    assert remove(house.building, deleted(new))["erase"]["left"] == 0


@pytest.mark.parametrize("kind", ["rows", "schemas", "databases"])
def test_a_crash_at_any_message_is_gone_on_from(house: Lodging) -> None:
    for at in range(1, 40):
        new = tenant()
        steps = iter(house.building.provisioning()[:3])
        with crashing(at) as reached:
            for step in steps:
                step.do(new)
        if not reached:
            assert at > 1  # rows take one message, and all the others more
            return
        for again in (step, *steps):
            again.do(new)
        assert house.names(new) == ["first"], at
    pytest.fail("the crashes found no end")


@pytest.mark.parametrize("kind", ["rows", "roles", "databases"])
def test_after_a_crash_at_any_message_undo_leaves_nothing(house: Lodging) -> None:
    house.building.provisioning()[0].do(tenant())  # connect, and compile, outside of the count
    for at in range(1, 60):
        new = tenant()
        with crashing(at) as reached:
            provision(house.building, new, upto="migrate")
        undo(house.building, new)
        assert traces(house, new) == [], at
        if not reached:
            return
    pytest.fail("the crashes found no end")


@pytest.mark.parametrize("kind", KINDS)
def test_undo_may_run_twice_and_where_nothing_was_done(house: Lodging) -> None:
    new = tenant()
    undo(house.building, new)
    provision(house.building, new)
    assert traces(house, new)
    undo(house.building, new)
    undo(house.building, new)
    assert traces(house, new) == []
    provision(house.building, new)  # as a retry does
    assert house.names(new) == ["first"]


@pytest.mark.parametrize("kind", ["rows", "schemas", "databases", "files", "scoped_sqlite"])
def test_a_crash_between_the_seed_and_its_note_sows_once(house: Lodging) -> None:
    new = tenant()
    provision(house.building, new, upto="migrate")
    site = house.building._site  # noqa: SLF001 - what a crashed process had done
    if isinstance(site, MarkedSite):
        mark = site.standing(new)
        assert mark is not None
        site.note(new, replace(mark, seed="begun"))
    site.design.sow(new)  # type: ignore[attr-defined]  # each has one
    for step in house.building.provisioning()[2:]:
        step.do(new)
    assert house.names(new) == ["first"]


@pytest.mark.parametrize("kind", ["rows", "schemas", "files", "scoped_sqlite"])
def test_a_seed_that_fails_leaves_nothing_of_itself(house: Lodging) -> None:
    broken = True

    def seed(session: Session, of: Tenant) -> None:
        (sow_shared if house.shared else sow)(session, of)
        if broken:
            raise ValueError("as a seed may")

    building = house.another(seed=seed)
    new = tenant()
    with pytest.raises(ValueError, match="as a seed may"):
        provision(building, new)
    broken = False
    provision(building, new)
    assert house.names(new) == ["first"]


@pytest.mark.parametrize("kind", ["schemas", "databases"])
def test_what_somebody_else_made_is_never_taken_over(house: Lodging) -> None:
    assert house.database is not None
    new = tenant()
    name = identifier(physical_name(new.id))
    kind = "DATABASE" if isinstance(house.model, DatabasePerTenant) else "SCHEMA"
    house.database.execute(f"CREATE {kind} {name}")
    with pytest.raises(TenantExists, match="not made here"):
        provision(house.building, new)
    undo(house.building, new)
    with pytest.raises(TenantExists):
        remove(house.building, deleted(new))
    assert traces(house, new) == [kind.lower()]
    house.database.execute(f"COMMENT ON {kind} {name} IS 'partywall: tenant={tenant().id}'")
    with pytest.raises(TenantExists, match="not made here"):
        provision(house.building, new)
    undo(house.building, new)
    assert traces(house, new) == [kind.lower()]


@pytest.mark.parametrize("kind", ["roles", "databases"])
def test_a_role_that_somebody_else_made_is_not_taken_over(house: Lodging) -> None:
    assert house.database is not None
    new = tenant()
    house.database.execute(f"CREATE ROLE {identifier(physical_name(new.id))}")
    with pytest.raises(TenantExists):
        provision(house.building, new)
    undo(house.building, new)
    assert traces(house, new) == ["role"]


@pytest.mark.parametrize("kind", ["databases"])
def test_a_database_that_appears_under_the_name_meanwhile_is_left_alone(house: Lodging) -> None:
    assert house.database is not None
    new = tenant()
    for made in (["role"], ["database", "role"]):  # the database as a draft
        with crashing(1):
            house.building.provisioning()[0].do(new)
        assert traces(house, new) == made
    house.database.execute(f"CREATE DATABASE {identifier(physical_name(new.id))}")
    with pytest.raises(TenantExists):
        provision(house.building, new)
    undo(house.building, new)
    assert traces(house, new) == ["database"]


@pytest.mark.parametrize("kind", ["files"])
def test_a_file_of_other_hands_is_not_taken_over(house: Lodging) -> None:
    new = tenant()
    assert isinstance(house.model, FilePerTenant)
    path = Path(house.model.path(new.id))
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    with pytest.raises(TenantExists):
        provision(house.building, new)
    undo(house.building, new)
    with pytest.raises(TenantExists):
        remove(house.building, deleted(new))
    assert traces(house, new) == [str(path)]


@pytest.mark.parametrize("kind", ["rows", "scoped_sqlite"])
def test_rows_that_are_there_already_are_nobodys_new_tenants(house: Lodging) -> None:
    new = tenant()
    house.row(new, "older")
    with pytest.raises(TenantExists, match="rows of this tenant's id"):
        provision(house.building, new)


@pytest.mark.parametrize("kind", ["rows", "schemas", "files"])
def test_a_tenant_that_was_let_in_is_not_made_anew_nor_taken_back(house: Lodging) -> None:
    new = tenant()
    provision(house.building, new)
    let_in: tuple[Standing, ...] = ("active", "suspended", "deleted")
    for status in let_in:
        old = replace(new, status=status)
        for step in house.building.provisioning():
            with pytest.raises(WorkError, match="not touched"):
                step.do(old)
        for step in (house.building.provisioning()[0], house.building.provisioning()[2]):
            with pytest.raises(WorkError, match="not touched"):
                step.undo(old)
        if status != "deleted":
            for step in house.building.removal():
                with pytest.raises(WorkError, match="nothing of it is removed"):
                    step.do(old)
    assert house.names(new) == ["first"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_removal_counts_and_leaves_nothing_but_its_tombstone(house: Lodging) -> None:
    old, other = tenant(), tenant()
    for each in (old, other):
        provision(house.building, each)
        house.row(each, "second")
    said = remove(house.building, deleted(old))
    assert said["count"]["tables"] == 2
    assert said["count"]["rows"] == 4
    assert isinstance(said["count"]["bytes"], int)
    assert said["count"]["bytes"] > 50
    assert said["erase"]["left"] == 0
    again = remove(house.building, deleted(old))
    assert again["count"]["rows"] == 0
    assert sorted(house.names(other)) == ["first", "second"]
    if house.shared:
        assert house.names(old) == []
        return
    with pytest.raises((TenantError, ProgrammingError)):
        house.names(old)
    with pytest.raises(DeletedTenant):
        provision(house.building, old)
    undo(house.building, old)
    with pytest.raises(DeletedTenant):
        provision(house.building, old)


@pytest.mark.parametrize("kind", ["roles", "databases", "files"])
def test_a_tenant_that_never_had_a_place_leaves_a_tombstone_too(house: Lodging) -> None:
    old = tenant()
    assert remove(house.building, deleted(old))["count"]["rows"] == 0
    with pytest.raises(DeletedTenant):
        provision(house.building, old)


@pytest.mark.parametrize("kind", ["rows", "roles", "databases"])
def test_a_removal_goes_on_after_a_crash_at_any_message(house: Lodging) -> None:
    for at in range(1, 60):
        old = tenant()
        provision(house.building, old, upto="seed")
        with crashing(at) as reached:
            remove(house.building, deleted(old))
        assert remove(house.building, deleted(old))["erase"]["left"] == 0, at
        assert not set(traces(house, old)) & {"first", "database"}
        if not reached:
            return
    pytest.fail("the crashes found no end")


@pytest.mark.parametrize("kind", SHARED)
def test_rows_go_in_batches_and_those_that_refer_first(
    house: Lodging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "BATCH", 2)
    old, other = tenant(), tenant()
    for each in (old, other):
        for number in range(5):
            house.row(each, f"customer {number}")
    assert remove(house.building, deleted(old))["erase"]["deleted"] == 15
    assert house.names(old) == []
    assert len(house.names(other)) == 5


@pytest.mark.parametrize("kind", ["rows", "scoped"])
def test_the_control_planes_own_tables_are_not_a_tenants(house: Lodging) -> None:
    assert house.database is not None
    old = tenant()
    house.database.execute("CREATE SCHEMA IF NOT EXISTS partywall")
    house.database.execute("CREATE TABLE partywall.memberships (tenant_id uuid)")
    house.database.execute(f"INSERT INTO partywall.memberships VALUES ('{old.id}')")
    house.database.execute("GRANT USAGE ON SCHEMA partywall TO app")
    house.row(old, "a")
    remove(house.building, deleted(old))
    assert len(house.database.rows("SELECT * FROM partywall.memberships")) == 1


@pytest.mark.parametrize("kind", ["rows"])
def test_tables_that_refer_in_a_circle_are_emptied_at_once(house: Lodging) -> None:
    assert house.database is not None
    old = tenant()
    house.database.execute(f"""
        CREATE TABLE hens (tenant_id uuid, id int PRIMARY KEY, egg int);
        CREATE TABLE eggs (tenant_id uuid, id int PRIMARY KEY, hen int REFERENCES hens);
        INSERT INTO eggs VALUES ('{old.id}', 1); INSERT INTO hens VALUES ('{old.id}', 1, 1);
        ALTER TABLE hens ADD FOREIGN KEY (egg) REFERENCES eggs; UPDATE eggs SET hen = 1;
        ALTER TABLE hens OWNER TO keeper; ALTER TABLE eggs OWNER TO keeper;
    """)
    assert remove(house.building, deleted(old))["erase"]["deleted"] == 2


def test_who_refers_comes_first() -> None:
    hens, eggs = rows.Rows("hens", frozenset({"eggs"})), rows.Rows("eggs", frozenset({"hens"}))
    nests = rows.Rows("nests", frozenset({"hens", "nests"}))
    assert rows.in_order([eggs, hens, nests]) == [(nests,), (eggs, hens)]


@pytest.mark.parametrize("kind", ["schemas", "databases"])
def test_a_function_can_make_the_tables(house: Lodging) -> None:
    def migrate(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE customers (id int PRIMARY KEY, name text)"))

    building = house.another(schema=migrate)
    new = tenant()
    for step in building.provisioning():
        step.do(new)
        step.do(new)
    assert house.names(new) == ["first"]


@pytest.mark.parametrize("kind", ["schemas"])
def test_a_function_that_makes_tables_for_everybody_is_refused(house: Lodging) -> None:
    assert house.database is not None

    def migrate(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE public.strays (id int)"))

    with pytest.raises(WorkError, match="strays in the schema public"):
        provision(house.another(schema=migrate), tenant())
    assert house.database.rows("SELECT to_regclass('public.strays')") == [(None,)]


@pytest.mark.parametrize("kind", ["schemas", "databases", "files"])
def test_a_place_of_an_older_version_is_made_anew(house: Lodging) -> None:
    older = MetaData()
    Table("elders", older, Column("id", Integer, primary_key=True))
    new = tenant()
    provision(house.another(schema=older, seed=None), new, upto="migrate")
    for step in house.building.provisioning()[1:]:
        step.do(new)
    assert house.names(new) == ["first"]


@pytest.mark.parametrize("kind", ["schemas"])
def test_tables_of_all_tenants_are_not_made_again(house: Lodging) -> None:
    assert house.database is not None
    house.database.execute("CREATE SCHEMA common; CREATE TABLE common.plans (id int PRIMARY KEY)")
    house.database.execute("GRANT USAGE ON SCHEMA common TO keeper, app")
    house.database.execute("GRANT REFERENCES, SELECT ON common.plans TO keeper")
    metadata = own_tables()
    Table("plans", metadata, Column("id", Integer, primary_key=True), schema="common")
    metadata.tables["customers"].append_column(Column("plan", ForeignKey("common.plans.id")))
    building = house.another(schema=metadata)
    for _ in range(2):
        provision(building, tenant())


@pytest.mark.parametrize("kind", ["schemas"])
def test_hostile_ids_are_no_names(house: Lodging) -> None:
    for hostile in ('a"; DROP SCHEMA public; --', "a b", "", "../a"):
        with pytest.raises(PartywallError):
            provision(house.building, tenant(id=hostile))


def test_tenants_go_to_the_server_of_their_placement(
    postgres15: Postgres, postgres18: Postgres
) -> None:
    servers = {"one": postgres15, "two": postgres18}
    placed: dict[str, str] = {}
    for running in servers.values():
        with psycopg.connect(running.url(), autocommit=True) as control:
            for statement in ROLES.split(";"):
                control.execute(statement.encode())
    building = Building(
        DatabasePerTenant(placement=placed),
        url=postgres15.url("postgres", "app"),
        owner_url=postgres15.url("postgres", "keeper"),
        servers={name: each.url("postgres", "app") for name, each in servers.items()},
        owners={name: each.url("postgres", "keeper") for name, each in servers.items()},
        schema=own_tables(),
    )
    try:
        for name, running in servers.items():
            new = tenant(placement=name)
            with pytest.raises(ConfigurationError, match="the isolation model does not"):
                provision(building, new)
            placed[new.id] = name
            provision(building, new)
            with psycopg.connect(running.url()) as control:
                query = "SELECT count(*) FROM pg_database WHERE datname = %s"
                assert control.execute(query, [physical_name(new.id)]).fetchone() == (1,)
            remove(building, deleted(new))
    finally:
        building.close()
        for running in servers.values():
            with psycopg.connect(running.url(), autocommit=True) as control:
                clear(control)


@pytest.mark.parametrize("kind", ["schemas"])
def test_what_cannot_go_together_is_refused(house: Lodging) -> None:
    assert house.database is not None
    owner = house.database.url("keeper")
    app = house.database.url("app")
    with pytest.raises(ConfigurationError, match="give it a login of its own"):
        house.another(url=owner)
    with pytest.raises(ConfigurationError, match="owner_url"):
        house.another(owner_url=None)
    with pytest.raises(ConfigurationError, match="only schemas"):
        Building(DatabasePerTenant(), url=app, owner_url=owner, schema=own_tables(), ahead=2)
    with pytest.raises(ConfigurationError, match="version"):
        house.another(schema=lambda _: None, ahead=2)
    with pytest.raises(ConfigurationError, match="same servers"):
        house.another(servers={"one": app})


@pytest.mark.parametrize("kind", ["schemas"])
def test_a_listener_that_needs_a_connection_is_refused(house: Lodging) -> None:
    metadata = own_tables()
    event.listen(metadata, "after_create", lambda _, connection, **__: connection.scalar("x"))
    with pytest.raises(ConfigurationError, match="'scalar'"):
        provision(house.another(schema=metadata), tenant())
