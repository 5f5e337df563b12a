"""What a removal leaves behind: nothing, also where sessions of the tenant were open."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import text

from partywall import TenantContext
from partywall.control.provisioning import owner
from partywall.control.provisioning.sites import rows
from partywall.errors import WorkError
from tests.control.lodgings import KINDS, deleted, lodging, sow_shared, tenant
from tests.control.test_building import provision, remove

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Database
    from tests.control.lodgings import Lodging

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)


@pytest.fixture
def house(kind: str, tmp_path: Path, database: Database) -> Iterator[Lodging]:
    with lodging(kind, tmp_path, database) as found:
        yield found


EVERYWHERE = """
SELECT c.oid::regclass::text FROM pg_class AS c
WHERE c.relkind IN ('r', 'm') AND has_table_privilege(c.oid, 'SELECT')
"""


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_removal_nothing_in_any_table_tells_of_the_tenant(house: Lodging) -> None:
    canary = "canary of the removed"
    old, other = tenant(), tenant()
    for each in (old, other):
        provision(house.building, each)
    house.row(old, canary)
    house.row(other, "second")  # the statistics of an empty table would stay as they are
    if house.database is not None and house.shared:
        house.database.execute("ANALYZE")  # statistics quote what is frequent
    marks = (old.id, old.id.replace("-", "_"), canary)
    assert mentions(house, marks)
    remove(house.building, deleted(old))
    tombstones = {"pg_namespace", "pg_authid", "files"}
    assert mentions(house, marks) <= tombstones
    assert not mentions(house, (canary,))


def mentions(house: Lodging, marks: tuple[str, ...]) -> set[str]:
    """Where a row holds one of the marks, catalogs included; or the name or the bytes of a file."""
    if house.database is None:
        folder = Path(str(house.tenancy.grounds.url.database or getattr(house.model, "folder", "")))
        files = [f for f in (folder.parent if folder.suffix else folder).rglob("*") if f.is_file()]
        told = [f.name.encode() + f.read_bytes() for f in files]
        return {"files" for each in told for mark in marks if mark.encode() in each}
    found = set()
    listed = "SELECT datname FROM pg_database WHERE datallowconn AND datname <> 'template0'"
    for (name,) in house.database.rows(listed):
        with psycopg.connect(house.database.server.url(name), autocommit=True) as connection:
            for (table,) in connection.execute(EVERYWHERE.encode()).fetchall():
                patterns = [f"%{mark}%" for mark in marks]
                query = f"SELECT 1 FROM {table} AS t WHERE t::text LIKE ANY (%s) LIMIT 1"
                if connection.execute(query.encode(), [patterns]).fetchone():
                    found.add(table)
    return found


@pytest.mark.parametrize("kind", ["rows", "scoped"])
def test_a_removal_waits_for_who_was_let_in_before(
    house: Lodging, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tenant()
    with ThreadPoolExecutor(1) as threads:
        with house.tenancy.session(TenantContext(old.id)) as session:
            session.execute(text("SELECT 1"))
            with monkeypatch.context() as impatient:
                impatient.setattr(rows, "PATIENCE_S", 0.0)
                with pytest.raises(WorkError, match="transactions of the application began before"):
                    remove(house.building, deleted(old))
            removing = threads.submit(remove, house.building, deleted(old))
            time.sleep(0.2)
            sow_shared(session, old)
        assert removing.result(20)["count"]["rows"] == 1
    assert house.names(old) == []


@pytest.mark.parametrize("kind", ["schemas"])
def test_a_removal_waits_for_nobody_for_ever(
    house: Lodging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, "PATIENCE", b"SET lock_timeout = '100ms'")
    building = house.another()
    old = tenant()
    provision(building, old)
    with house.tenancy.session(TenantContext(old.id)) as session:
        session.execute(text("SELECT * FROM customers"))
        with pytest.raises(psycopg.errors.LockNotAvailable):
            remove(building, deleted(old))
    assert remove(building, deleted(old))["erase"]["left"] == 0
