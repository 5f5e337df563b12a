"""Users: one a mailbox, and a log-in that tells a stranger nothing."""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, select

from partywall.control import limits, passwords, tables, users
from partywall.control.database import Database
from partywall.control.users import User, log_in
from partywall.errors import (
    InvalidRecord,
    NotAuthenticated,
    PartywallError,
    RecordConflict,
    TooManyAttempts,
    UnknownRecord,
)
from tests.control.neighbours import (
    KINDS,
    NO_IDS,
    NOBODY,
    announced,
    at_once,
    fresh,
    interleaved,
    only_postgresql,
    opened,
    person,
)

HORSE = "correct horse battery staple"
WRONG = "incorrect horse"
HERE, ELSEWHERE = "203.0.113.7", "198.51.100.7"
MOMENT = dt.datetime(2031, 5, 4, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module", params=KINDS)
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    yield from opened(request, tmp_path_factory)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, house: Database) -> None:
    """Hashing that costs next to nothing, no attempts of an earlier test, and one window."""
    monkeypatch.setattr(limits, "now", lambda: MOMENT)
    monkeypatch.setattr(
        passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )
    with house.begin() as connection:
        connection.execute(tables.attempts.delete())


@pytest.fixture
def ada(house: Database) -> User:
    return person(house, fresh("Ada"), HORSE)


def kept(house: Database, user: User) -> str:
    """The hash of a user's password."""
    with house.reading() as connection:
        query = select(tables.users.c.password_hash).where(tables.users.c.id == user.id)
        return str(connection.execute(query).scalar_one())


def disable(house: Database, user: User) -> None:
    with house.begin() as connection:
        users.disable(connection, user.id)


def refusal(
    house: Database, email: str, password: str = HORSE, source: str = HERE
) -> tuple[str, str]:
    """How a log-in is refused."""
    with pytest.raises(PartywallError) as caught:
        log_in(house, email, password, source=source)
    return type(caught.value).__name__, str(caught.value)


def test_a_user_is_found_by_id_and_by_address(house: Database) -> None:
    email = fresh("Ada")
    user = person(house, email)
    with house.reading() as connection:
        assert users.get(connection, user.id) == user
        assert users.by_email(connection, email.upper()) == user
        assert users.by_email(connection, fresh()) is None
        assert users.by_email(connection, "no address") is None
        assert users.get(connection, NOBODY) is None
    assert (user.email, user.name, user.disabled_at) == (email, "", None)


def test_one_mailbox_has_one_user(house: Database, ada: User) -> None:
    with house.begin() as connection:
        with pytest.raises(RecordConflict) as caught:
            users.add(connection, ada.email.upper())
        assert users.get(connection, ada.id) == ada  # the transaction goes on
    assert ada.email not in str(caught.value)


def test_of_two_who_sign_up_with_one_address_in_the_same_moment_one_does(house: Database) -> None:
    email = fresh()

    def adding(connection: Connection) -> None:
        users.add(connection, email)

    assert interleaved(house, adding, adding) == "RecordConflict"


@pytest.mark.parametrize(
    ("email", "password", "name"),
    [
        ("no address", None, ""),
        ("ann@example.com", "short", ""),
        ("ann@example.com", "half \ud83d character", ""),
        ("ann@example.com", None, "Ann\0"),
        ("ann@example.com", None, "Ann\ud83d"),
        ("ann@example.com", None, "A" * 201),
        ("ann@example.com", None, "Ann\r\nBcc: eve@example.com"),
    ],
)
def test_what_can_not_be_is_refused(
    house: Database, email: str, password: str | None, name: str
) -> None:
    with house.begin() as connection:
        with pytest.raises(InvalidRecord):
            users.add(connection, email, password=password, name=name)
        assert users.by_email(connection, email) is None


def test_who_has_the_password_is_let_in(house: Database, ada: User) -> None:
    assert log_in(house, ada.email.upper(), HORSE, source=HERE) == ada


def test_a_hash_that_was_made_before_the_transaction_is_taken(house: Database) -> None:
    email, made = fresh(), passwords.hashed(HORSE)
    with house.begin() as connection:
        user = users.add(connection, email, password_hash=made)
    assert log_in(house, email, HORSE, source=HERE) == user


def test_every_log_in_that_fails_is_answered_alike(house: Database, ada: User) -> None:
    without, gone = person(house), person(house, password=HORSE)
    disable(house, gone)
    answers = {
        refusal(house, email, password)
        for email, password in (
            (ada.email, WRONG),
            (ada.email, ""),
            (ada.email, "x" * 10_000),
            (ada.email, "half \ud83d character"),
            (fresh(), HORSE),
            ("no address", HORSE),
            ("ada\ud83d@example.com", HORSE),
            ("", HORSE),
            (without.email, HORSE),
            (without.email, ""),
            (gone.email, HORSE),
        )
    }
    assert answers == {("NotAuthenticated", users.REFUSED)}


def test_every_log_in_that_fails_takes_as_long(
    house: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "OF_SOURCE", 1000)
    monkeypatch.setattr(
        passwords, "_hasher", PasswordHasher(time_cost=2, memory_cost=16_384, parallelism=1)
    )
    known, without = person(house, password=HORSE), person(house)
    gone = person(house, password=HORSE)
    disable(house, gone)
    took: dict[str, list[float]] = {}
    for _ in range(5):
        for email in (known.email, fresh("nobody"), without.email, gone.email, "no address"):
            begun = time.perf_counter()
            refusal(house, email, WRONG)
            took.setdefault(email.partition("-")[0] or email, []).append(
                time.perf_counter() - begun
            )
    usual = statistics.median(took["ann"])
    for times in took.values():
        assert usual / 3 < statistics.median(times) < usual * 3


def test_a_password_that_was_changed_is_the_only_one(house: Database, ada: User) -> None:
    with house.begin() as connection:
        users.set_password(connection, ada.id, "another horse")
    assert refusal(house, ada.email)[0] == "NotAuthenticated"
    changed = log_in(house, ada.email, "another horse", source=HERE)
    assert changed == replace(ada, version=ada.version + 1)


def test_a_user_that_is_enabled_again_is_let_in(house: Database, ada: User) -> None:
    disable(house, ada)
    assert refusal(house, ada.email)[0] == "NotAuthenticated"
    with house.begin() as connection:
        users.enable(connection, ada.id)
    assert log_in(house, ada.email, HORSE, source=HERE) == ada


def test_a_log_in_renews_a_hash_with_old_parameters(
    house: Database, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = kept(house, ada)
    log_in(house, ada.email, HORSE, source=HERE)
    assert kept(house, ada) == before
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", stronger)
    refusal(house, ada.email, WRONG)
    assert kept(house, ada) == before
    log_in(house, ada.email, HORSE, source=HERE)
    assert not stronger.check_needs_rehash(kept(house, ada))
    log_in(house, ada.email, HORSE, source=HERE)


def test_ten_may_fail_with_one_address_and_then_the_password_is_not_looked_at(
    house: Database, ada: User
) -> None:
    for number in range(10):
        email = ada.email.upper() if number % 2 else ada.email
        assert refusal(house, email, WRONG, f"203.0.113.{number}")[0] == "NotAuthenticated"
    with pytest.raises(TooManyAttempts) as caught:
        log_in(house, ada.email, HORSE, source=ELSEWHERE)
    assert 0 < caught.value.retry_after_s <= users.WINDOW_S


def test_the_eleventh_with_an_address_that_nobody_has_is_answered_alike(
    house: Database, ada: User
) -> None:
    for email in (ada.email, fresh(), "no address"):
        answers = [refusal(house, email, WRONG, "") for _ in range(11)]
        assert answers[:10] == [("NotAuthenticated", users.REFUSED)] * 10
        assert answers[10] == ("TooManyAttempts", "too many attempts: wait before the next one")


def test_of_many_at_once_ten_have_their_password_looked_at(house: Database, ada: User) -> None:
    outcomes = at_once(14, lambda: log_in(house, ada.email, WRONG, source=""))
    assert outcomes == ["NotAuthenticated"] * 10 + ["TooManyAttempts"] * 4


@pytest.mark.parametrize(
    ("sources", "other"),
    [
        ([HERE] * 3, ELSEWHERE),
        (["2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "2001:0db8:1:2::3"], "2001:db8:1:3::1"),
        (["::ffff:203.0.113.7", HERE, "::ffff:cb00:7107"], "::ffff:203.0.113.8"),
        (["a name"] * 3, "another name"),
    ],
)
def test_a_few_may_fail_from_one_place(
    house: Database,
    ada: User,
    monkeypatch: pytest.MonkeyPatch,
    sources: list[str],
    other: str,
) -> None:
    monkeypatch.setattr(users, "OF_SOURCE", 3)
    for source in sources:
        assert refusal(house, fresh(), WRONG, source)[0] == "NotAuthenticated"
    assert refusal(house, ada.email, HORSE, sources[0])[0] == "TooManyAttempts"
    assert log_in(house, ada.email, HORSE, source=other) == ada


def test_where_the_source_is_not_known_nobody_is_limited_by_it(
    house: Database, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "OF_SOURCE", 1)
    for _ in range(3):
        refusal(house, fresh(), WRONG, "")
    assert log_in(house, ada.email, HORSE, source="") == ada


def test_a_log_in_that_succeeds_is_not_counted_and_forgives_nothing(
    house: Database, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "OF_SOURCE", 3)
    mine = person(house, password=HORSE)
    for _ in range(12):
        log_in(house, mine.email, HORSE, source=HERE)
    for _ in range(2):
        refusal(house, ada.email, WRONG)
        log_in(house, mine.email, HORSE, source=HERE)
    refusal(house, ada.email, WRONG)
    assert refusal(house, ada.email, WRONG)[0] == "TooManyAttempts"


def test_no_connection_is_held_while_a_password_is_hashed(
    house: Database, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = Database(house.url, connections=1, timeout_s=0.5)

    def matches(hashed: str, password: str) -> bool:
        with narrow.begin() as connection:
            connection.exec_driver_sql("SELECT 1")
        return real(hashed, password)

    real = passwords.matches
    monkeypatch.setattr(passwords, "matches", matches)
    assert log_in(narrow, ada.email, HORSE, source=HERE) == ada
    narrow.close()


@pytest.mark.parametrize(
    "change",
    [users.disable, lambda connection, user_id: users.set_password(connection, user_id, WRONG)],
)
@pytest.mark.parametrize("stronger", [False, True])
def test_what_changes_while_a_password_is_hashed_counts(
    house: Database,
    ada: User,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Connection, str], None],
    stronger: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    def matches(hashed: str, password: str) -> bool:
        with house.begin() as connection:
            change(connection, ada.id)
        return real(hashed, password)

    if stronger:
        monkeypatch.setattr(
            passwords, "_hasher", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
        )
    real = passwords.matches
    monkeypatch.setattr(passwords, "matches", matches)
    with pytest.raises(NotAuthenticated):
        log_in(house, ada.email, HORSE, source=HERE)


def test_what_is_no_id_is_nobodys(house: Database, ada: User) -> None:
    with house.begin() as connection:
        for no_id in (*NO_IDS, ada.id.upper(), NOBODY):
            assert users.get(connection, no_id) is None
            for change in (users.disable, users.enable):
                with pytest.raises(UnknownRecord):
                    change(connection, no_id)
            with pytest.raises(UnknownRecord):
                users.set_password(connection, no_id, HORSE)
        assert users.get(connection, ada.id) == ada


@only_postgresql
def test_every_change_is_announced(house: Database, ada: User) -> None:
    with announced(house) as heard:
        added = person(house)
    assert heard == {f"user:{added.id}"}
    for change in (
        users.disable,
        users.enable,
        lambda connection, user_id: users.set_password(connection, user_id, HORSE),
    ):
        with announced(house) as heard, house.begin() as connection:
            change(connection, ada.id)
        assert heard == {f"user:{ada.id}"}


def test_neither_password_nor_address_stands_in_a_message(house: Database, ada: User) -> None:
    said = [refusal(house, ada.email, WRONG)[1] for _ in range(11)]
    assert not [each for each in said if WRONG in each or ada.email in each]
