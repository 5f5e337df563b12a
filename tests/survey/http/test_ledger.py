"""What belongs to whom, and what proves it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partywall.survey.http.ledger import Ledger, scalars
from tests.survey.http.apis import ledger

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = "5f3a-globex-0001"


def test_a_seed_gives_the_same_canaries_again() -> None:
    one, other = ledger(), ledger()
    assert [one.canary("acme") for _ in range(3)] == [other.canary("acme") for _ in range(3)]
    assert ledger().run != Ledger(8, ["acme", "globex"]).run


@given(st.integers(1, 40))
def test_no_canary_is_taken_for_another_s(owners: int) -> None:
    names = [f"tenant{number}" for number in range(owners)] + ["nobody"]
    book = Ledger(7, names[:-1])
    canaries = {name: book.canary(name) for name in names}
    for name in names:
        assert [who for who in names if book.evidence(who, canaries[name])] == [name]


@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from((str.upper, str.lower)))
def test_a_canary_is_found_in_whatever_surrounds_it(
    before: str, after: str, spelled: Callable[[str], str]
) -> None:
    book = ledger()
    canary = book.canary("globex")
    text = f"{before} {spelled(canary)} {after}"
    assert book.evidence("globex", text) == [canary]
    assert book.leaked("globex", "acme", "GET /notes", text) == [canary]


def test_what_was_sent_proves_nothing() -> None:
    book = ledger()
    canary = book.canary("globex")
    assert book.leaked("globex", "acme", f"q={canary}", canary) == []
    book.sends("acme", f'{{"title": "{canary}"}}')
    assert book.leaked("globex", "acme", "GET /notes", canary) == []
    assert book.leaked("globex", "nobody", "GET /notes", canary) == [canary]


def test_one_s_own_words_are_not_forgotten() -> None:
    book = ledger()
    canary = book.canary("globex")
    book.sends("globex", canary)
    assert book.leaked("globex", "acme", "GET /notes", canary) == [canary]


def test_a_long_id_tells_whose_it_is_and_a_short_one_does_not() -> None:
    book = ledger()
    book.owns("globex", LONG)
    book.owns("globex", 7)
    assert book.evidence("globex", f'{{"id": "{LONG.upper()}", "n": 7}}') == [LONG]
    book.owns("acme", LONG)
    assert book.evidence("globex", LONG) == []


def test_the_owner_of_an_id() -> None:
    book = ledger()
    book.owns("globex", 7)
    assert (book.owner_of("7"), book.owner_of(8)) == ("globex", "")
    book.owns("acme", 7)
    assert book.owner_of(7) == ""


@given(st.integers(0, 10**8), st.integers(0, 10**9))
def test_a_number_tells_whose_it_is(least: int, span: int) -> None:
    book = ledger()
    number = book.number("globex", least, least + span)
    if number is None:
        assert span < 10**6  # too few numbers to tell by one
    else:
        assert least <= number <= least + span
        assert book.evidence("globex", f"[{number}]") == [str(number)]
        assert book.evidence("acme", f"[{number}]") == []


@pytest.mark.parametrize("around", ["x{}", "{}x", "1{}", "{}.5", "2.{}"])
def test_part_of_something_is_no_number(around: str) -> None:
    book = ledger()
    number = book.number("globex", 0, 10**9)
    assert book.evidence("globex", around.format(number)) == []


TREES = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(TREES)
def test_scalars_come_from_the_outside_in(tree: Any) -> None:  # noqa: ANN401 - any JSON
    found = scalars(tree)
    assert [depth for depth, _, _ in found] == sorted(depth for depth, _, _ in found)
    keys = re.findall(r'"(?:[^"\\]|\\.)*": (?![\[{])', json.dumps(tree))
    assert len(found) == len(keys)
