"""The audit log: what it takes, what the database refuses, who waits for whom."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from partywall.control import audit
from partywall.control.audit import AuditObserver, entries, record
from partywall.control.database import Database
from partywall.errors import InvalidRecord, PartywallError, Unavailable
from partywall.isolation import ScopedQueries
from partywall.runtime.events import Observer
from partywall.runtime.tenancy import Tenancy
from partywall.servers import Postgres
from tests.control.logs import (
    ACME,
    BOTH,
    GLOBEX,
    log,
    only_postgresql,
    only_sqlite,
    opened,
    table,
    told,
    verify,
)


@pytest.fixture(scope="module")
def server(postgres18: Postgres) -> Postgres:
    return postgres18


@pytest.fixture(params=BOTH)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    yield from opened(request, tmp_path)


# -- what an entry is ---------------------------------------------------------------------------


def test_an_entry_says_who_what_when_from_where_and_is_read_as_it_was_written(
    house: Database,
) -> None:
    with house.begin() as connection:
        added = record(
            connection,
            ACME,
            "member.added",
            actor="ada",
            subject="bob",
            source="2001:db8::1",
            detail={"role": "admin", "rank": -3, "owner": False, "team": None, "all": ["a", "b"]},
        )
    assert log(house) == [added]
    assert (added.number, added.previous) == (1, bytes(32))
    assert added.at.tzinfo is not None


def test_each_tenant_has_a_chain_of_its_own_numbered_from_1(house: Database) -> None:
    told(house, 2)
    told(house, 1, GLOBEX)
    told(house, 1, "")
    told(house, 1)
    assert [entry.number for entry in log(house)] == [1, 2, 3]
    assert [entry.number for entry in log(house, GLOBEX)] == [1]
    first, second, third = log(house)
    assert (second.previous, third.previous) == (first.hash, second.hash)
    with house.reading() as connection:
        assert audit.logs(connection) == ["", ACME, GLOBEX]


def test_an_entry_stands_or_falls_with_what_it_tells_of(house: Database) -> None:
    told(house, 1)
    connection = house.engine.connect()
    with connection, connection.begin() as transaction:
        record(connection, ACME, "member.removed", actor="ada")
        transaction.rollback()
    told(house, 1)
    assert [entry.action for entry in log(house)] == ["member.added"] * 2
    assert verify(house).whole


def test_entries_come_in_pages(house: Database) -> None:
    told(house, 5)
    with house.reading() as connection:
        page = entries(connection, ACME, after=2, limit=2)
    assert [entry.number for entry in page] == [3, 4]


# -- what it refuses ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "detail",
    [
        {"amount": 1.5},
        {"row": {"id": 1, "name": "a customer"}},
        {"rows": [1, 2]},
        {"blob": b"bytes"},
        {"big": 2**53},
        {"note": "x" * 513},
        {"note": "nul\0"},
        {"note": "half \ud800"},
        {f"part_{n}": "x" * 500 for n in range(5)},
        {"password": "hunter2"},
        {"new_token": "abc"},
        {"client_secret": "abc"},
        {"Größe": 1},
    ],
    ids=lambda detail: next(iter(detail)),
)
def test_a_detail_holds_no_row_no_secret_and_nothing_large(detail: Any) -> None:  # noqa: ANN401 - so
    engine = create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(InvalidRecord) as refused:
        record(connection, ACME, "member.added", actor="ada", detail=detail)
    engine.dispose()
    for value in detail.values():
        assert str(value) not in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "Member Added"},
        {"action": ""},
        {"action": "a" * 65},
        {"actor": None},
        {"actor": "a" * 257},
        {"source": "nul\0"},
        {"tenant_id": None},
    ],
)
def test_a_field_is_short_and_whole(wrong: dict[str, Any]) -> None:
    engine = create_engine("sqlite://")
    given = {"tenant_id": ACME, "action": "member.added", "actor": "ada"} | wrong
    with engine.connect() as connection, pytest.raises(InvalidRecord):
        record(connection, **given)
    engine.dispose()


@pytest.mark.parametrize(
    "secret",
    [
        "pw_0123456789abcdef0123456789abcdef",
        "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2ln",
        "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
        "-----BEGIN PRIVATE KEY-----",
    ],
)
@only_sqlite
def test_what_has_the_form_of_a_secret_is_hidden(house: Database, secret: str) -> None:
    said = f"with {secret} in it"
    with house.begin() as connection:
        detail: audit.Detail = {"said": said, "all": ["a", said]}
        record(connection, ACME, "key.used", actor=said, subject=said, source=said, detail=detail)
    (entry,) = log(house)
    assert (entry.actor, entry.subject, entry.source) == ("(hidden)",) * 3
    assert entry.detail == {"said": "(hidden)", "all": ["a", "(hidden)"]}


def test_what_a_stranger_sent_is_recorded_all_the_same(house: Database) -> None:
    sent = ["x" * 5000, "a\x1b[31m\0b\ud800\u202e", "Bearer pw_0123456789abcdef0123456789abcdef"]
    with house.begin() as connection:
        for one in sent:
            record(connection, ACME, "access.denied", actor="nobody", subject=audit.fitted(one))
    long, odd, secret = (entry.subject for entry in log(house))
    assert (len(long), odd, secret) == (256, "a\ufffd[31m\ufffdb\ufffd\ufffd", "(hidden)")
    assert verify(house).whole


# -- what the database refuses ------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {log} SET actor = 'eve'",
        "UPDATE {log} SET actor = 'eve' WHERE false",
        "DELETE FROM {log} WHERE number = 1",
        "DELETE FROM {log}",
        "TRUNCATE {log}",
        "SET session_replication_role = replica; DELETE FROM {log}",
    ],
)
@only_postgresql
def test_postgresql_refuses_to_change_or_remove(house: Database, statement: str) -> None:
    told(house, 2)
    with pytest.raises(DBAPIError, match="only added to"), house.begin() as connection:
        connection.exec_driver_sql(statement.format(log=table(house)))
    assert [entry.actor for entry in log(house)] == ["ada", "ada"]


COLUMNS = "tenant_id, number, at, actor, action, subject, source, detail, previous, hash"
FORGED = "at, 'eve', action, subject, source, detail, previous, hash FROM audit_log"
MOVED = f"tenant_id, number + 7, {FORGED}"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'eve'",
        "DELETE FROM audit_log WHERE number = 1",
        "DELETE FROM audit_log",
        f"INSERT OR REPLACE INTO audit_log ({COLUMNS}) SELECT tenant_id, number, {FORGED}",
        f"INSERT OR REPLACE INTO audit_log (rowid, {COLUMNS}) SELECT rowid, {MOVED}",
    ],
)
@only_sqlite
def test_sqlite_refuses_to_change_or_remove(house: Database, statement: str) -> None:
    told(house, 2)
    with pytest.raises(DBAPIError, match="only added to"), house.begin() as connection:
        connection.exec_driver_sql(statement)
    assert [(entry.number, entry.actor) for entry in log(house)] == [(1, "ada"), (2, "ada")]


# -- many at once -------------------------------------------------------------------------------


def test_writers_at_once_leave_no_gap_and_no_fork(house: Database) -> None:
    def write(number: int) -> None:
        told(house, 6, (ACME, GLOBEX)[number % 2])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    for tenant in (ACME, GLOBEX):
        assert [entry.number for entry in log(house, tenant)] == list(range(1, 25))
        assert verify(house, tenant).whole


@only_postgresql
def test_a_tenant_s_open_entry_keeps_no_other_tenant_waiting(house: Database) -> None:
    with house.begin() as open_one:
        record(open_one, ACME, "member.added", actor="ada")
        other = threading.Thread(target=told, args=(house, 1, GLOBEX))
        other.start()
        other.join(5)
        assert not other.is_alive()
        waiting = threading.Thread(target=told, args=(house, 1))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
    waiting.join(10)
    assert [entry.number for entry in log(house)] == [1, 2]


# -- the way out of the walls -------------------------------------------------------------------


class Listening(Observer):
    def __init__(self) -> None:
        self.heard: list[object] = []

    def entered(self, context: object, duration_s: float) -> None:
        self.heard.append(("entered", context, duration_s))

    def refused(self, context: object, error: PartywallError) -> None:
        self.heard.append(("refused", context, error))

    def waited(self, duration_s: float, *, timed_out: bool) -> None:
        self.heard.append(("waited", duration_s, timed_out))

    def opened_to_all(self, reason: str, by: str) -> None:
        self.heard.append(("opened", reason, by))


def test_every_session_of_all_tenants_stands_in_the_log(house: Database, tmp_path: Path) -> None:
    then = Listening()
    url = f"sqlite:///{tmp_path / 'app.db'}"
    with (
        Tenancy(url, ScopedQueries(), observer=AuditObserver(house, then)) as tenancy,
        tenancy.every_tenant(reason="monthly figures", by="night job") as session,
    ):
        (entry,) = log(house, "")
        session.execute(text("SELECT 1"))
    assert (entry.action, entry.actor) == ("every_tenant.opened", "night job")
    assert entry.detail == {"reason": "monthly figures"}
    assert ("opened", "monthly figures", "night job") in then.heard


def test_an_observer_behind_it_hears_everything(house: Database) -> None:
    then, error = Listening(), InvalidRecord("no")
    observer = AuditObserver(house, then)
    observer.entered(None, 0.1)
    observer.refused(None, error)
    observer.waited(0.2, timed_out=True)
    assert then.heard == [("entered", None, 0.1), ("refused", None, error), ("waited", 0.2, True)]


@only_sqlite
def test_without_an_entry_nothing_is_opened(house: Database, tmp_path: Path) -> None:
    with house.begin() as connection:
        connection.execute(text("ALTER TABLE audit_log RENAME TO gone"))
    url = f"sqlite:///{tmp_path / 'app.db'}"
    with Tenancy(url, ScopedQueries(), observer=AuditObserver(house)) as tenancy:  # noqa: SIM117 - so
        with pytest.raises(Unavailable), tenancy.every_tenant(reason="figures", by="job"):
            pytest.fail("opened without an entry")


@only_postgresql
def test_who_holds_the_log_s_lock_is_refused_and_not_stuck(
    house: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "WAIT_S", 1)
    with house.begin() as connection:
        record(connection, "", "report.begun", actor="job")
        with pytest.raises(Unavailable):
            AuditObserver(house).opened_to_all("figures", "job")
