"""What engines keep can be read at one place alone, with the key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.errors import ConfigurationError, ForgedExecution
from partywall.runtime.workflows.sealing import Seal

ONE, OTHER = "one" * 11, "other" * 7
PLACES = st.tuples(st.sampled_from(["input", "outcome"]), *[st.text(max_size=6)] * 3)


@given(st.text(), PLACES, PLACES)
def test_a_text_opens_where_it_was_sealed_and_nowhere_else(
    text: str, place: tuple[str, ...], other: tuple[str, ...]
) -> None:
    seal = Seal(ONE)
    sealed = seal.seal(text, place)
    assert Seal(ONE).open(sealed, place) == text
    assert sealed != seal.seal(text, place)
    if other != place:
        with pytest.raises(ForgedExecution):
            seal.open(sealed, other)
    with pytest.raises(ForgedExecution):
        Seal(OTHER).open(sealed, place)


@given(st.text(), st.integers(min_value=0))
def test_an_edited_text_does_not_open(text: str, where: int) -> None:
    place = ("input", "acme", "bill", "1")
    sealed = Seal(ONE).seal(text, place)
    at = where % (len(sealed.rstrip("=")) - 1)  # the last one may hold bits that mean nothing
    edited = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
    for forged in (edited, sealed[:-4], "", "no base64", None):
        with pytest.raises(ForgedExecution):
            Seal(ONE).open(forged, place)


def test_parts_of_a_place_do_not_run_into_each_other() -> None:
    sealed = Seal(ONE).seal("x", ("input", "a", "b", "cd"))
    with pytest.raises(ForgedExecution):
        Seal(ONE).open(sealed, ("input", "a", "bc", "d"))


def test_an_older_key_opens_and_no_longer_seals() -> None:
    place = ("input", "acme")
    both = Seal(OTHER, [ONE])
    assert both.open(Seal(ONE).seal("x", place), place) == "x"
    assert Seal(OTHER).open(both.seal("y", place), place) == "y"
    assert both.digest(place) == Seal(ONE).digest(place) != Seal(OTHER).digest(place)


@pytest.mark.parametrize("key", ["", "x" * 31, b"x" * 31])
def test_a_short_key_is_refused_and_never_shown(key: str | bytes) -> None:
    with pytest.raises(ConfigurationError, match="32 bytes") as refused:
        Seal(key)
    assert "xxx" not in str(refused.value)
    assert "one" not in repr(Seal(ONE))
