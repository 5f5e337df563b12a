"""Passwords: what is kept of them, what they cost, and that nobody's costs as much."""

from __future__ import annotations

import statistics
import threading
import time
import unicodedata

import pytest
from argon2 import PasswordHasher, extract_parameters

from partywall.control import passwords
from partywall.control.passwords import LONGEST, hashed, matches, renewed
from partywall.errors import InvalidRecord

HORSE = "correct horse battery staple"
WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
BCRYPT = "$2b$12$abcdefghijklmnopqrstuuKQ0dXyGXHZgdW6WOGkxBPKtMUwBtaEy"


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> PasswordHasher:
    """Hashing that costs next to nothing, where the cost is not the point."""
    monkeypatch.setattr(passwords, "_hasher", WEAK)
    return WEAK


def took_s(kept: str, password: str) -> float:
    """How long a comparison takes, at the median of nine."""
    times = []
    for _ in range(9):
        begun = time.perf_counter()
        matches(kept, password)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def test_the_parameters_are_those_of_rfc_9106() -> None:
    kept = hashed(HORSE)
    parameters = extract_parameters(kept)
    cost = (parameters.type.name, parameters.memory_cost, parameters.time_cost)
    assert cost == ("ID", 64 * 1024, 3)
    assert (parameters.salt_len, parameters.hash_len) == (16, 32)
    assert matches(kept, HORSE)


@pytest.mark.usefixtures("cheap")
def test_only_its_own_password_matches() -> None:
    kept = hashed(HORSE)
    assert matches(kept, HORSE)
    assert not matches(kept, HORSE.title())
    assert hashed(HORSE) != kept


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("password", ["", "seven77", "x" * (LONGEST + 1), "half \ud83d character"])
def test_what_is_no_password_is_refused(password: str) -> None:
    with pytest.raises(InvalidRecord, match="8 to 256 characters") as caught:
        hashed(password)
    assert not password or password not in str(caught.value)
    assert not matches(hashed(HORSE), password)


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("password", ["eight888", "é" * LONGEST])
def test_eight_and_256_characters_are_a_password(password: str) -> None:
    assert matches(hashed(password), password)
    assert not matches(hashed(password), password[:-1])


@pytest.mark.usefixtures("cheap")
def test_a_password_is_the_same_on_every_keyboard() -> None:
    typed = "pässwörd ﬁne"
    assert matches(hashed(typed), unicodedata.normalize("NFD", typed))


@pytest.mark.usefixtures("cheap")
def test_what_is_too_long_is_not_even_looked_at() -> None:
    kept, huge = hashed(HORSE), "ﷺ" * 2_000_000  # NFKC makes 18 characters of each
    begun = time.process_time()
    assert not matches(kept, huge)
    with pytest.raises(InvalidRecord):
        hashed(huge)
    assert time.process_time() - begun < 0.1


@pytest.mark.parametrize("kept", ["", BCRYPT])
def test_nobodys_password_takes_as_long(kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=2, memory_cost=8192))
    real = took_s(hashed(HORSE), "wrong password")
    assert not matches(kept, HORSE)
    assert took_s(kept, "wrong password") > real / 4  # it would be a hundredth


def test_nobodys_hash_has_the_parameters_of_today(cheap: PasswordHasher) -> None:
    parameters, nobodys = extract_parameters(hashed(HORSE)), passwords.nobodys()
    assert extract_parameters(nobodys) == parameters
    assert not cheap.check_needs_rehash(nobodys)


@pytest.mark.usefixtures("cheap")
def test_a_hash_with_the_parameters_of_today_is_kept() -> None:
    kept = hashed(HORSE)
    assert renewed(kept, HORSE) == kept


@pytest.mark.parametrize("password", [HORSE, "short"])
def test_a_hash_with_other_parameters_is_renewed_also_of_a_short_password(
    password: str, cheap: PasswordHasher
) -> None:
    kept = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(password)
    assert matches(kept, password)
    new = renewed(kept, password)
    assert not cheap.check_needs_rehash(new)
    assert matches(new, password)


def test_no_more_are_hashed_at_once_than_there_are_places(
    cheap: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = threading.BoundedSemaphore(1)
    monkeypatch.setattr(passwords, "_places", place)
    old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(HORSE)
    acts = (lambda: matches("", HORSE), lambda: hashed(HORSE), lambda: renewed(old, HORSE))
    threads = [threading.Thread(target=act) for act in acts]
    with place:
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        assert all(thread.is_alive() for thread in threads), cheap
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
