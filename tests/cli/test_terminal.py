"""What somebody sees who sits at a terminal, and what Ctrl-C does there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from partywall.control import audit, domains
from tests.cli.harbour import Harbour
from tests.cli.house import House, settled
from tests.cli.terminal import COLUMNS, CTRL_C, on_terminal


@pytest.fixture(params=["sqlite"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    yield from settled(request, tmp_path)


def test_ids_and_challenges_stay_in_one_piece(house: House, tmp_path: Path) -> None:
    with house.database.begin() as connection:
        claimed = domains.claim(connection, house.acme.id, "a-rather-long-name.acme.com")
        audit.record(connection, house.acme.id, "domain.claimed", actor=house.ada.id)
    wanted = {
        ("tenants", "list"): house.acme.id,
        ("domains", "list", "acme"): claimed.challenge,
        ("log", "show", "acme"): house.ada.id,
    }
    for arguments, word in wanted.items():
        code, shown = on_terminal(tmp_path, *arguments, PARTYWALL_CONTROL=house.url)
        assert (code, word in shown) == (0, True), shown
        assert max(map(len, shown.splitlines())) <= COLUMNS


@pytest.mark.parametrize(
    ("typed", "code", "words"),
    [
        (CTRL_C, 130, "interrupted: a change is made as a whole or not at all"),
        ("n\n", 2, "nothing was changed"),
        ("y\n", 2, "only owner"),
    ],
    ids=["Ctrl-C", "no", "yes"],
)
def test_a_question_that_is_not_answered_changes_nothing(
    house: House, tmp_path: Path, typed: str, code: int, words: str
) -> None:
    removing = ("members", "remove", "acme", "ada@example.com")
    ended, shown = on_terminal(
        tmp_path, *removing, at="Go on?", typed=typed, PARTYWALL_CONTROL=house.url
    )
    assert (ended, words in shown) == (code, True), shown
    assert "internal error" not in shown
    assert house.actions(house.acme) == []


@pytest.mark.parametrize(("typed", "code"), [(CTRL_C, 130), ("n\n", 0)], ids=["Ctrl-C", "no"])
def test_left_over_copies_stay_unless_somebody_says_yes(
    harbour: Harbour, typed: str, code: int
) -> None:
    copy = "partywall_copy_0badcafe_0"
    harbour.database.execute(f"CREATE DATABASE {copy}")
    harbour.database.execute(f"COMMENT ON DATABASE {copy} IS 'partywall: a disposable copy'")
    ended, shown = on_terminal(
        harbour.folder, "audit", "--explain-model", at="Drop 1 copy", typed=typed
    )
    assert (ended, "internal error" in shown) == (code, False), shown
    assert harbour.copies() == [copy]
