from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Column, MetaData, Table, select

from partywall.encryption import Encrypted, envelope, reseal
from partywall.errors import ConfigurationError, NotSealed
from tests.encryption.houses import HOUSES, House
from tests.encryption.keys import ACME, GLOBEX
from tests.encryption.test_columns import ann, housed, put, read, stands

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from partywall.encryption import Keyring, Progress

TENANTS = [ACME.tenant_id, GLOBEX.tenant_id]


@pytest.fixture(params=HOUSES)
def home(request: pytest.FixtureRequest, tmp_path: Path, keyring: Keyring) -> Iterator[House]:
    yield from housed(request, request.param, tmp_path, keyring)


@pytest.fixture
def files(request: pytest.FixtureRequest, tmp_path: Path, keyring: Keyring) -> Iterator[House]:
    yield from housed(request, "files", tmp_path, keyring)


def gone_through(home: House, keyring: Keyring, **options: Any) -> Progress:  # noqa: ANN401 - reseal's
    tables = home.person.metadata.sorted_tables
    return reseal(home.tenancy, keyring, tables, TENANTS, **options)


def test_all_values_come_to_the_newest_key_and_the_old_one_can_go(
    home: House, keyring: Keyring
) -> None:
    ids = [ann(home, name=f"n{n}", notes=[n], photo=b"p") for n in range(23)]
    old = keyring.ring(ACME.tenant_id).newest("seal").id
    new = keyring.rotate(ACME.tenant_id)
    seen: list[int] = []

    def pausing(progress: Progress) -> bool:
        seen.append(progress.resealed)
        return True

    progress = gone_through(home, keyring, batch=10, pausing=pausing)
    assert (progress.tenants, progress.resealed, progress.broken) == (2, 23 * 4, {})
    assert seen[:3] == [40, 80, 92]
    assert gone_through(home, keyring).resealed == 0
    assert {envelope.key_of(stands(home, each, "name")) for each in ids} == {new}
    assert keyring.discard(ACME.tenant_id, old)
    assert [read(home, each) for each in ids] == [f"n{n}" for n in range(23)]
    person = home.person
    with home.tenancy.session(ACME) as session:
        query = select(person).where(person.email_index == "ann@example.com")
        assert len(session.scalars(query).all()) == 23


def test_it_can_be_stopped_and_goes_on(files: House, keyring: Keyring) -> None:
    ids = [ann(files, name=f"n{n}") for n in range(9)]
    new = keyring.rotate(ACME.tenant_id)
    stopped = gone_through(files, keyring, batch=4, pausing=lambda _: False)
    assert (stopped.stopped, stopped.resealed, stopped.tenants) == (True, 8, 0)
    assert (stopped.tenant_id, stopped.table) == (ACME.tenant_id, "people")
    done = {envelope.key_of(stands(files, each, "name")) == new for each in ids}
    assert done == {True, False}
    assert [read(files, each) for each in ids] == [f"n{n}" for n in range(9)]
    assert gone_through(files, keyring).resealed == 10


@pytest.mark.parametrize("home", ["rows"], indirect=True)  # SQLite has one writer at a time
def test_it_loses_no_update_of_anybody_else(
    home: House, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, other = ann(home, name="before"), ann(home, name="untouched")
    keyring.rotate(ACME.tenant_id)
    module = sys.modules["partywall.encryption.reseal"]
    opened, written = vars(module)["opened"], threading.Event()

    def overtaken(*args: Any) -> bytes:  # noqa: ANN401 - opened's
        found: bytes = opened(*args)
        if found == b"before" and not written.is_set():
            written.set()
            with home.tenancy.session(ACME) as session:
                session.get(home.person, row).name = "after"
        return found

    monkeypatch.setattr(module, "opened", overtaken)
    progress = gone_through(home, keyring)
    assert (progress.overtaken, written.is_set()) == (1, True)
    assert (read(home, row), read(home, other)) == ("after", "untouched")


def test_others_read_and_write_meanwhile(files: House, keyring: Keyring) -> None:
    ids = [ann(files, name="0") for _ in range(20)]
    over, errors = threading.Event(), list[Exception]()
    counts = dict.fromkeys(ids, 0)

    def writing() -> None:
        try:
            while not over.is_set():
                for each in ids:
                    with files.tenancy.session(ACME) as session:
                        found = session.get(files.person, each)
                        assert found.name == str(counts[each])
                        counts[each] += 1
                        found.name = str(counts[each])
        except Exception as error:  # noqa: BLE001 - the test shows it
            errors.append(error)

    thread = threading.Thread(target=writing)
    thread.start()
    try:
        for _ in range(3):
            keyring.rotate(ACME.tenant_id)
            gone_through(files, keyring, batch=3)
    finally:
        over.set()
        thread.join()
    assert errors == []
    assert {each: read(files, each) for each in ids} == {k: str(v) for k, v in counts.items()}


def test_plaintext_of_a_column_that_is_migrating_is_sealed(files: House, keyring: Keyring) -> None:
    row, broken = ann(files, name="sealed"), ann(files)
    put(files, row, "name", b"plain")
    put(files, broken, "email", b"plain")
    mark = files.person.__table__.c.name.type
    mark.migrating = True
    assert read(files, row) == "plain"
    progress = gone_through(files, keyring)
    assert (progress.resealed, progress.broken) == (1, {"people.email": 1})
    mark.migrating = False
    assert read(files, row) == "plain"
    with pytest.raises(NotSealed):
        read(files, broken, "email")


def test_a_value_of_another_row_is_left_and_counted(files: House, keyring: Keyring) -> None:
    row, other = ann(files, name="one"), ann(files, name="two")
    put(files, other, "name", stands(files, row, "name"))
    moved = stands(files, other, "name")
    keyring.rotate(ACME.tenant_id)
    progress = gone_through(files, keyring, batch=1)
    assert progress.broken == {"people.name": 1}
    assert stands(files, other, "name") == moved


def test_a_table_without_a_primary_key_is_refused(files: House, keyring: Keyring) -> None:
    table = Table("t", MetaData(), Column("a", Encrypted()))
    with pytest.raises(ConfigurationError, match="no primary key"):
        reseal(files.tenancy, keyring, [table], TENANTS)
