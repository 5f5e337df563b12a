"""The life of a tenant's file: its making and its end, also when killed halfway."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from partywall.errors import (
    DeletedTenant,
    MissingTenant,
    TenantExists,
    UnknownTenant,
)
from partywall.isolation import FilePerTenant
from partywall.isolation.file_per_tenant import address, mark_of
from partywall.runtime.copies import backup, restore
from partywall.runtime.housing import provision, remove, tenants

if TYPE_CHECKING:
    from collections.abc import Callable


def tables(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)")


@pytest.fixture
def model(tmp_path: Path) -> FilePerTenant:
    return FilePerTenant(folder=str(tmp_path / "tenants"))


def opened(path: str | Path) -> sqlite3.Connection:
    return sqlite3.connect(address(str(path)), uri=True, isolation_level=None, timeout=30)


def rows(path: str | Path) -> list[tuple[object, ...]]:
    with closing(opened(path)) as connection:
        return connection.execute("SELECT id, item FROM orders ORDER BY id").fetchall()


def insert(path: str | Path, *values: int) -> None:
    with closing(opened(path)) as connection:
        connection.executemany("INSERT INTO orders VALUES (?, 'a')", [(each,) for each in values])


def files(model: FilePerTenant) -> list[str]:
    return sorted(each.name for each in Path(model.folder).rglob("*") if each.is_file())


def in_a_process(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_file_is_made_of_a_function_or_of_metadata(model: FilePerTenant) -> None:
    metadata = MetaData()
    Table("orders", metadata, Column("id", Integer, primary_key=True), Column("item", Text))
    provision(model, "acme", tables)
    provision(model, "globex", metadata)
    for tenant in ("acme", "globex"):
        insert(model.path(tenant), 1)
        assert rows(model.path(tenant)) == [(1, "a")]
        with closing(opened(model.path(tenant))) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            mark = connection.execute("PRAGMA application_id").fetchone()
            assert mark == (mark_of(model.path(tenant)),)
    assert files(model) == ["t_acme.sqlite", "t_globex.sqlite"]


def test_a_file_is_never_made_twice(model: FilePerTenant) -> None:
    provision(model, "acme", tables)
    insert(model.path("acme"), 1)
    with pytest.raises(TenantExists):
        provision(model, "acme", tables)
    assert rows(model.path("acme")) == [(1, "a")]
    assert files(model) == ["t_acme.sqlite"]


def test_of_many_that_provision_at_once_one_wins(model: FilePerTenant) -> None:
    barrier = threading.Barrier(8)
    outcomes: list[str] = []

    def work(number: int) -> None:
        def schema(connection: sqlite3.Connection) -> None:
            tables(connection)
            connection.execute("INSERT INTO orders VALUES (?, 'a')", (number,))

        barrier.wait(10)
        try:
            provision(model, "acme", schema)
            outcomes.append(f"won {number}")
        except TenantExists:
            outcomes.append("lost")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    [(winner, _)] = rows(model.path("acme"))
    assert sorted(outcomes) == ["lost"] * 7 + [f"won {winner}"]


def test_a_schema_that_fails_leaves_nothing(model: FilePerTenant) -> None:
    def broken(connection: sqlite3.Connection) -> None:
        tables(connection)
        connection.execute("CREATE nonsense")

    with pytest.raises(sqlite3.OperationalError):
        provision(model, "acme", broken)
    assert files(model) == []
    provision(model, "acme", tables)


KILLED = """
import os, signal, sys
from partywall.isolation import FilePerTenant
from partywall.runtime.housing import provision

def schema(connection):
    connection.execute("CREATE TABLE half (id INTEGER)")
    connection.execute("PRAGMA wal_checkpoint")
    os.kill(os.getpid(), signal.SIGKILL)

provision(FilePerTenant(folder=sys.argv[1]), "acme", schema)
"""


def test_a_process_killed_while_it_provisions_leaves_no_tenant(model: FilePerTenant) -> None:
    assert in_a_process(KILLED, model.folder).returncode == -signal.SIGKILL
    assert files(model) == ["t_acme.new"]
    assert list(tenants(model)) == []
    with pytest.raises(UnknownTenant):
        remove(model, "acme")
    provision(model, "acme", tables)
    assert rows(model.path("acme")) == []
    assert files(model) == ["t_acme.sqlite"]


FULL = """
import resource, signal, sqlite3, sys
from partywall.isolation import FilePerTenant
from partywall.runtime.housing import provision

model = FilePerTenant(folder=sys.argv[1])
schema = lambda c: c.executescript("CREATE TABLE a (b); INSERT INTO a VALUES (zeroblob(1000000))")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    provision(model, "acme", schema)
except sqlite3.OperationalError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
provision(model, "globex", schema)
"""


def test_where_there_is_no_room_no_tenant_is_made(model: FilePerTenant) -> None:
    ended = in_a_process(FULL, model.folder)
    assert ended.returncode == 0, ended.stderr
    assert "disk" in ended.stdout  # "database or disk is full" or "disk I/O error"
    assert files(model) == ["t_globex.sqlite"]


READ_ONLY = """
import sqlite3, sys
from partywall.errors import TenantError
from partywall.isolation import FilePerTenant
from partywall.runtime.copies import backup
from partywall.runtime.housing import provision, remove

model = FilePerTenant(folder=sys.argv[1])
attempts = {
    "provision": lambda: provision(model, "globex", lambda connection: None),
    "remove": lambda: remove(model, "acme"),
    "backup": lambda: backup(model, "acme", sys.argv[1] + "/copy"),
}
for name, attempt in attempts.items():
    try:
        attempt()
    except OSError as error:
        print(name, error.strerror)
"""
MOUNTED = (
    'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 99; exec "$2" -c "$3" "$1"'
)


def test_in_a_read_only_folder_nothing_is_changed_or_said_to_be(model: FilePerTenant) -> None:
    provision(model, "acme", tables)
    before = files(model)
    ended = subprocess.run(  # in a mount name space of its own, where also root can't write
        ["unshare", "-rm", "sh", "-c", MOUNTED, "sh", model.folder, sys.executable, READ_ONLY],  # noqa: S607 - wherever the system has it
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if ended.returncode == 99:
        pytest.skip("this machine lets nobody mount a folder read-only")
    assert ended.returncode == 0, ended.stderr
    said = [f"{name} Read-only file system" for name in ("provision", "remove", "backup")]
    assert ended.stdout.splitlines() == said
    assert files(model) == before


def test_a_removed_tenant_leaves_a_tombstone_and_nothing_else(model: FilePerTenant) -> None:
    provision(model, "acme", tables)
    provision(model, "globex", tables)
    with closing(opened(model.path("acme"))) as connection:
        connection.execute("INSERT INTO orders VALUES (1, 'a')")
        assert "t_acme.sqlite-wal" in files(model)
        remove(model, "acme")
    assert files(model) == ["t_acme.deleted", "t_globex.sqlite"]
    with pytest.raises(DeletedTenant):
        provision(model, "acme", tables)
    with pytest.raises(DeletedTenant):
        backup(model, "acme", "/nowhere")
    assert list(tenants(model)) == ["globex"]


def test_removing_again_finishes_what_a_crash_left(model: FilePerTenant) -> None:
    provision(model, "acme", tables)
    Path(model.tombstone("acme")).touch()  # as far as the crash let it come
    assert list(tenants(model)) == []
    remove(model, "acme")
    remove(model, "acme")
    assert files(model) == ["t_acme.deleted"]


def test_what_is_not_there_can_not_be_removed_or_backed_up(
    model: FilePerTenant, tmp_path: Path
) -> None:
    with pytest.raises(UnknownTenant):
        remove(model, "acme")
    with pytest.raises(UnknownTenant):
        backup(model, "acme", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize(
    "act",
    [
        lambda model, tenant: provision(model, tenant, tables),
        remove,
        lambda model, tenant: backup(model, tenant, "/nowhere"),
        lambda model, tenant: restore(model, tenant, "/nowhere"),
    ],
    ids=["provision", "remove", "backup", "restore"],
)
def test_what_is_no_id_gets_nowhere(
    model: FilePerTenant, act: Callable[[FilePerTenant, object], None]
) -> None:
    for tenant in ("../x", "", None, 'a"; drop', "a\0b"):
        with pytest.raises(MissingTenant):
            act(model, tenant)
    assert not Path(model.folder).exists()


def test_tenants_are_those_with_a_file_in_its_place(model: FilePerTenant, tmp_path: Path) -> None:
    assert list(tenants(model)) == []
    known = ["acme", "Acme", "a.b", "7b1c3f52-4f0e-4a51-9a39-0d7f6a3e2b11", "42"]
    for tenant in known:
        provision(model, tenant, tables)
    folder = Path(model.path("acme")).parent
    (folder / "t_astray.sqlite").touch()  # not where its name belongs
    (folder / "notes.txt").touch()
    Path(model.folder, "README").touch()
    (folder.parent / "ff").symlink_to(tmp_path)
    assert sorted(tenants(model)) == sorted(known)


def test_nothing_stays_open(model: FilePerTenant, tmp_path: Path) -> None:
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    provision(model, "acme", tables)
    backup(model, "acme", tmp_path / "copy.sqlite")
    restore(model, "acme", tmp_path / "copy.sqlite")
    assert list(tenants(model)) == ["acme"]
    remove(model, "acme")
    assert len(list(descriptors.iterdir())) == before
