"""How often something may be tried: counted exactly, whatever comes of it, by however many."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, insert, select

from partywall.control import limits
from partywall.control.database import Database, now
from partywall.control.limits import ATTEMPTS, attempt, counted, give_back, sweep, window
from partywall.errors import ConfigurationError, TooManyAttempts
from tests.control.neighbours import KINDS, at_once, interleaved, only_postgresql, opened

HOUR_S = 3600.0


@pytest.fixture(scope="module", params=KINDS)
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    yield from opened(request, tmp_path_factory)


@pytest.fixture
def key() -> str:
    return uuid.uuid4().hex


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time pass; it begins at the full hour, and no window ends within a test."""
    begun = dt.datetime(2031, 5, 4, 12, tzinfo=dt.UTC)

    def at(seconds: float) -> None:
        monkeypatch.setattr(limits, "now", lambda: begun + dt.timedelta(seconds=seconds))

    at(0)
    return at


def count(house: Database, key: str) -> int | None:
    """What the window of now has counted."""
    with house.reading() as connection:
        digest = window(key, HOUR_S, now())["key"]
        query = select(ATTEMPTS.c.count).where(ATTEMPTS.c.key == digest)
        return connection.execute(query).scalar_one_or_none()


def old(house: Database, number: int = 3) -> set[str]:
    """Counts of the day before yesterday."""
    moment = now() - dt.timedelta(days=2)
    rows = [{"key": uuid.uuid4().hex, "begun_at": moment, "count": 1} for _ in range(number)]
    with house.begin() as connection:
        connection.execute(ATTEMPTS.delete())
        connection.execute(insert(ATTEMPTS), rows)
    return {str(row["key"]) for row in rows}


def keys(house: Database) -> set[str]:
    with house.reading() as connection:
        return set(connection.execute(select(ATTEMPTS.c.key)).scalars())


def test_as_many_as_the_limit_come_through_and_the_next_is_told_how_long_to_wait(
    house: Database, key: str, clock: Callable[[float], None]
) -> None:
    for second in range(3):
        clock(second)
        attempt(house, key, limit=3, window_s=60)
    clock(45)
    for _ in range(2):
        with pytest.raises(TooManyAttempts) as caught:
            attempt(house, key, limit=3, window_s=60)
        assert caught.value.retry_after_s == 15
        assert key not in str(caught.value)
    clock(60)
    attempt(house, key, limit=3, window_s=60)


def test_somebody_elses_attempts_are_counted_apart(house: Database, key: str) -> None:
    attempt(house, key, limit=1, window_s=HOUR_S)
    attempt(house, f"{key} ", limit=1, window_s=HOUR_S)


def test_of_many_in_the_same_moment_the_limit_comes_through(house: Database, key: str) -> None:
    outcomes = at_once(16, lambda: attempt(house, key, limit=5, window_s=86_400))
    assert outcomes == ["TooManyAttempts"] * 11 + ["done"] * 5


def test_one_that_is_not_yet_committed_counts(house: Database, key: str) -> None:
    waits_s: list[float] = []

    def counting(connection: Connection) -> None:
        waits_s.append(counted(connection, key, limit=1, window_s=86_400))

    interleaved(house, counting, counting)
    assert waits_s[0] == 0.0
    assert waits_s[1] > 0


def test_what_is_refused_is_not_counted(house: Database, key: str) -> None:
    for _ in range(4):
        with pytest.raises(TooManyAttempts):
            attempt(house, key, limit=0, window_s=HOUR_S)
    assert count(house, key) is None


def test_an_attempt_is_given_back_and_never_more_than_there_were(house: Database, key: str) -> None:
    attempt(house, key, limit=1, window_s=HOUR_S)
    for _ in range(3):
        with house.begin() as connection:
            give_back(connection, key, window_s=HOUR_S)
    assert count(house, key) == 0
    attempt(house, key, limit=1, window_s=HOUR_S)
    with pytest.raises(TooManyAttempts):
        attempt(house, key, limit=1, window_s=HOUR_S)


def test_who_tries_is_kept_as_a_hash(house: Database, key: str) -> None:
    attempt(house, f"log-in of {key} \ud83d", limit=1, window_s=HOUR_S)
    assert not [each for each in keys(house) if key in each or len(each) != 64]


@pytest.mark.parametrize("window_s", [0, -1, 86_401])
def test_a_window_that_can_not_be_is_refused(house: Database, key: str, window_s: float) -> None:
    with pytest.raises(ConfigurationError, match="a day at most"):
        attempt(house, key, limit=1, window_s=window_s)


def test_counts_of_the_past_are_removed_by_and_by(house: Database) -> None:
    gone = old(house)
    for number in range(64):  # one in sixteen removes them
        attempt(house, f"somebody {number}", limit=1, window_s=HOUR_S)
    assert not gone & keys(house)
    assert len(keys(house)) == 64


def test_no_sweep_removes_more_than_a_few(house: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SWEPT", 2)
    gone = old(house, 5)
    with house.begin() as connection:
        sweep(connection, now())
    assert len(gone & keys(house)) == 3


@only_postgresql
def test_two_sweeps_do_not_wait_for_one_another(house: Database) -> None:
    old(house)
    with house.begin() as one, house.begin() as another:
        sweep(one, now())
        another.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
        sweep(another, now())
