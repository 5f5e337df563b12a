"""Connections to tenants' files: where they open, and what they begin with."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import URL
from sqlalchemy.exc import DatabaseError, OperationalError

from partywall.context import TenantContext
from partywall.errors import DeletedTenant, TenantMismatch, UnknownTenant, WallError
from partywall.isolation.file_per_tenant import address
from partywall.runtime.ground import Terms, walled_engine
from partywall.runtime.housing import provision, remove
from partywall.runtime.lease import Lease
from tests.runtime.filehouse import BEGIN, READ_ONLY, SYNC_AND_ASYNC, House, housed, tables

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with housed(tmp_path / "tenants") as house:
        yield house


def test_a_connection_starts_with_the_walls_up(house: House, tmp_path: Path) -> None:
    settings = "journal_mode", "synchronous", "foreign_keys"
    assert [house.run("acme", f"PRAGMA {each}")[0][0] for each in settings] == ["wal", 2, 1]
    relaxed = House(tmp_path / "relaxed", durable=False)
    provision(relaxed.model, "acme", tables)
    assert relaxed.run("acme", "PRAGMA synchronous") == [(1,)]
    relaxed.dispose()


def test_without_the_authorizer_attach_still_finds_no_room(house: House) -> None:
    connection = house.engine("acme").raw_connection()
    driver = connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.set_authorizer(None)
    with pytest.raises(sqlite3.OperationalError, match="too many attached databases"):
        driver.execute("ATTACH ':memory:' AS other")
    for setting, expected in (("trusted_schema", 0), ("cell_size_check", 1), ("mmap_size", 0)):
        assert (driver.execute(f"PRAGMA {setting}").fetchone() or (0,))[0] == expected
    connection.invalidate()


@SYNC_AND_ASYNC
def test_a_read_only_session_stays_so_and_the_next_one_writes(
    house: House, *, asynchronous: bool
) -> None:
    insert = "INSERT INTO orders (item) VALUES ('a')"
    for _ in range(3):
        with pytest.raises(OperationalError, match="readonly"):
            house.run("acme", insert, begin=READ_ONLY, asynchronous=asynchronous)
        house.run("acme", insert, asynchronous=asynchronous)
    assert house.run("acme", "SELECT count(*) FROM orders") == [(3,)]


@SYNC_AND_ASYNC
def test_no_session_makes_a_file(house: House, *, asynchronous: bool) -> None:
    with pytest.raises(UnknownTenant, match="provision it first"):
        house.run("initech", "SELECT 1", asynchronous=asynchronous)
    assert not Path(house.model.path("initech")).exists()


def test_the_address_of_a_file_opens_it_and_never_makes_one(tmp_path: Path) -> None:
    # What is left when the file goes between the look and the opening.
    for name in ("a", "a?mode=rwc", "a#b", "a%41", "\u00e4 b"):
        path = tmp_path / name
        with pytest.raises(sqlite3.OperationalError, match="unable to open"):
            sqlite3.connect(address(str(path)), uri=True)
        path.touch()
        with closing(sqlite3.connect(address(str(path)), uri=True)) as connection:
            assert connection.execute("PRAGMA database_list").fetchone()[2] == str(path)
    assert len(list(tmp_path.iterdir())) == 5


@SYNC_AND_ASYNC
def test_the_same_key_in_two_tenants_is_two_rows(house: House, *, asynchronous: bool) -> None:
    for tenant in ("acme", "globex"):
        house.run(
            tenant,
            f"INSERT INTO orders VALUES (1, '{tenant}')",
            asynchronous=asynchronous,
        )
    for tenant in ("acme", "globex"):
        rows = house.run(tenant, "SELECT * FROM orders", asynchronous=asynchronous)
        assert rows == [(1, tenant)]


def test_two_tenants_in_threads_at_the_same_moment(house: House) -> None:
    barrier = threading.Barrier(2)
    seen: dict[str, list[tuple[Any, ...]]] = {}

    def work(tenant: str) -> None:
        barrier.wait(10)
        for number in range(20):
            house.run(tenant, f"INSERT INTO orders VALUES ({number}, '{tenant}')")
        seen[tenant] = house.run(tenant, "SELECT DISTINCT item, count(*) FROM orders")

    threads = [threading.Thread(target=work, args=(each,)) for each in ("acme", "globex")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert seen == {"acme": [("acme", 20)], "globex": [("globex", 20)]}


def test_two_tenants_in_gather(house: House) -> None:
    async def work(tenant: str) -> list[tuple[Any, ...]]:
        engine = house.engine(tenant, asynchronous=True)
        lease = Lease(house.model, TenantContext(tenant), BEGIN)
        statements = [f"INSERT INTO orders VALUES ({n}, '{tenant}')" for n in range(20)]
        read = "SELECT DISTINCT item, count(*) FROM orders"
        return await house.run_async(engine, lease, (*statements, read))

    async def both() -> list[list[tuple[Any, ...]]]:
        return list(await asyncio.gather(work("acme"), work("globex")))

    assert asyncio.run(both()) == [[("acme", 20)], [("globex", 20)]]


def test_a_file_removed_under_a_pool_is_not_used_again(house: House) -> None:
    house.run("acme", "INSERT INTO orders VALUES (1, 'a')")
    assert house.engine("acme").pool.checkedin() == 1  # type: ignore[attr-defined] # QueuePool's
    remove(house.model, "acme")
    with pytest.raises(DeletedTenant):
        house.run("acme", "SELECT * FROM orders")


def test_a_file_replaced_under_a_pool_is_opened_anew(house: House, tmp_path: Path) -> None:
    house.run("acme", "INSERT INTO orders VALUES (1, 'old')")
    path = Path(house.model.path("acme"))
    newer = tmp_path / "newer.sqlite"
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(newer)) as copy:
        source.backup(copy)
        copy.execute("UPDATE orders SET item = 'new'")
        copy.commit()
        source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    newer.replace(path)
    assert house.run("acme", "SELECT item FROM orders") == [("new",)]


def test_the_file_of_another_tenant_in_a_tenants_place_is_refused(house: House) -> None:
    acme, globex = (Path(house.model.path(each)) for each in ("acme", "globex"))
    globex.replace(acme)
    with pytest.raises(TenantMismatch, match="is another tenant's"):
        house.run("acme", "SELECT * FROM orders")


@pytest.mark.parametrize("level", [0, 1, 2], ids=["file", "inner folder", "outer folder"])
def test_a_symbolic_link_below_the_folder_is_refused(
    house: House, tmp_path: Path, level: int
) -> None:
    path = Path(house.model.path("acme"))
    linked = [path, path.parent, path.parent.parent][level]
    linked.rename(tmp_path / "outside")
    linked.symlink_to(tmp_path / "outside")
    with pytest.raises(WallError, match="symbolic link"):
        house.run("acme", "SELECT * FROM orders")


def test_the_folder_itself_may_be_a_symbolic_link(house: House, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(house.model.folder)
    linked = House(tmp_path / "link")
    assert linked.run("acme", "SELECT count(*) FROM orders") == [(0,)]
    linked.dispose()


@pytest.mark.parametrize("database", [None, ":memory:", "{folder}/../x", "{folder}s/x"])
def test_nothing_outside_of_the_folder_is_opened(house: House, database: str | None) -> None:
    place = database and database.format(folder=house.model.folder)
    terms = Terms(model=house.model, asynchronous=False, connections=1, timeout_s=5.0)
    engine = walled_engine(URL.create("sqlite", database=place), terms)
    with pytest.raises(WallError, match="does not lie in the folder"):
        engine.connect()


@SYNC_AND_ASYNC
def test_a_damaged_file_is_an_error_of_its_own_tenant_alone(
    house: House, *, asynchronous: bool
) -> None:
    path = Path(house.model.path("acme"))
    damaged = b"\0" * path.stat().st_size
    path.write_bytes(damaged)
    with pytest.raises(DatabaseError, match="not a database"):
        house.run("acme", "SELECT * FROM orders", asynchronous=asynchronous)
    assert path.read_bytes() == damaged
    house.run("globex", "SELECT * FROM orders", asynchronous=asynchronous)


def test_what_sqlite_puts_beside_a_file_is_the_owners_alone(house: House) -> None:
    house.run("acme", "INSERT INTO orders VALUES (1, 'a')")
    path = Path(house.model.path("acme"))
    modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    assert modes == {path.name + end: 0o600 for end in ("", "-shm", "-wal")}
    folders = [path.parent, path.parent.parent, Path(house.model.folder)]
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}
    assert os.getuid() == path.stat().st_uid
