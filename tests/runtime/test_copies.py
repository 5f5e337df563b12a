"""Copies of a tenant's file, made and put back while others read and write it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from partywall.errors import ConfigurationError, DeletedTenant, TenantError, TenantMismatch
from partywall.isolation import FilePerTenant
from partywall.isolation.file_per_tenant import mark_of
from partywall.runtime.copies import backup, restore
from partywall.runtime.housing import provision, remove, tenants
from tests.runtime.test_housing import insert, opened, rows, tables


@pytest.fixture
def model(tmp_path: Path) -> FilePerTenant:
    return FilePerTenant(folder=str(tmp_path / "tenants"))


def test_a_backup_in_use_is_one_snapshot_and_loses_the_writer_nothing(
    model: FilePerTenant, tmp_path: Path
) -> None:
    provision(model, "acme", tables)
    path, copy = model.path("acme"), tmp_path / "copy.sqlite"
    insert(path, *range(2000))
    step, steps = threading.Semaphore(0), threading.Semaphore(0)
    written = list(range(2000))

    def write() -> None:
        # A pair of rows in each transaction: a copy of its halves would hold an odd number.
        with closing(opened(path)) as connection:
            while step.acquire(timeout=30):
                pair = len(written), len(written) + 1
                if pair[0] >= 2100:
                    break
                connection.execute("BEGIN IMMEDIATE")
                for number in pair:
                    connection.execute("INSERT INTO orders VALUES (?, 'a')", (number,))
                connection.execute("COMMIT")
                written.extend(pair)
                steps.release()

    def told(left: int, total: int) -> None:
        seen.append((left, total))
        if len(written) < 2100:
            step.release()
            assert steps.acquire(timeout=30)  # between two steps the writer commits

    seen: list[tuple[int, int]] = []
    writer = threading.Thread(target=write)
    writer.start()
    backup(model, "acme", copy, pages=1, progress=told)
    for _ in range(100):
        step.release()
    writer.join(60)
    assert not writer.is_alive()
    assert len(seen) == seen[0][1]  # every page once: no write started it over
    assert [number for number, _ in rows(copy)] == list(range(2000))
    assert [number for number, _ in rows(path)] == written
    assert len(written) > 2000
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["copy.sqlite", "tenants"]


def test_a_backup_overwrites_nothing(model: FilePerTenant, tmp_path: Path) -> None:
    provision(model, "acme", tables)
    copy = tmp_path / "copy.sqlite"
    copy.write_text("older")
    with pytest.raises(ConfigurationError, match="there already"):
        backup(model, "acme", copy)
    assert copy.read_text() == "older"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["copy.sqlite", "tenants"]


def spoil(path: Path) -> None:
    """Overwrite a page in the middle of the file, as a failing disk would."""
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096)


def test_a_damaged_file_makes_no_backup_and_a_damaged_backup_restores_nothing(
    model: FilePerTenant, tmp_path: Path
) -> None:
    provision(model, "acme", tables)
    insert(model.path("acme"), *range(3000))
    good = tmp_path / "good.sqlite"
    backup(model, "acme", good)
    bad = tmp_path / "bad.sqlite"
    bad.write_bytes(good.read_bytes())
    spoil(bad)
    with pytest.raises(TenantError, match="damaged"):
        restore(model, "acme", bad)
    assert len(rows(model.path("acme"))) == 3000
    spoil(Path(model.path("acme")))
    with pytest.raises(TenantError, match="damaged"):
        backup(model, "acme", tmp_path / "copy.sqlite")
    assert not (tmp_path / "copy.sqlite").exists()


def test_a_backup_is_restored_under_readers(model: FilePerTenant, tmp_path: Path) -> None:
    provision(model, "acme", tables)
    path, copy = model.path("acme"), tmp_path / "copy.sqlite"
    insert(path, 1)
    backup(model, "acme", copy)
    insert(path, 2)
    with closing(opened(path)) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT id FROM orders").fetchall()
        restore(model, "acme", copy)
        assert reader.execute("SELECT id FROM orders").fetchall() == before == [(1,), (2,)]
        reader.execute("COMMIT")
        assert reader.execute("SELECT id FROM orders").fetchall() == [(1,)]
        assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    insert(path, 3)
    assert rows(path) == [(1, "a"), (3, "a")]


def test_a_backup_provisions_a_tenant_that_has_no_file(
    model: FilePerTenant, tmp_path: Path
) -> None:
    provision(model, "acme", tables)
    insert(model.path("acme"), 1)
    backup(model, "acme", tmp_path / "copy.sqlite")
    other = FilePerTenant(folder=str(tmp_path / "other"))
    restore(other, "acme", tmp_path / "copy.sqlite")
    assert rows(other.path("acme")) == [(1, "a")]
    remove(model, "acme")
    with pytest.raises(DeletedTenant):
        restore(model, "acme", tmp_path / "copy.sqlite")


def test_the_backup_of_another_tenant_is_refused(model: FilePerTenant, tmp_path: Path) -> None:
    for tenant in ("acme", "globex"):
        provision(model, tenant, tables)
    insert(model.path("globex"), 1)
    backup(model, "globex", tmp_path / "copy.sqlite")
    with pytest.raises(TenantMismatch):
        restore(model, "acme", tmp_path / "copy.sqlite")
    with pytest.raises(TenantMismatch):
        restore(model, "initech", tmp_path / "copy.sqlite")
    assert rows(model.path("acme")) == []
    assert sorted(tenants(model)) == ["acme", "globex"]


def test_a_file_made_elsewhere_becomes_the_tenants(model: FilePerTenant, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.sqlite"
    with closing(sqlite3.connect(elsewhere)) as connection:
        tables(connection)
    provision(model, "globex", tables)
    for tenant in ("acme", "globex"):
        restore(model, tenant, elsewhere)
        with closing(opened(model.path(tenant))) as connection:
            mark = connection.execute("PRAGMA application_id").fetchone()
        assert mark == (mark_of(model.path(tenant)),)
