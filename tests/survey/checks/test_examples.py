"""Every example a check prints in its documentation is true of a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from partywall.survey.check import answers
from partywall.survey.checks import every_check
from tests.survey.checks.shop import SHOP, scene

if TYPE_CHECKING:
    from partywall.survey.check import Check
    from tests.conftest import Database

ALL = every_check()
BY_VERSION = {"server-version"}  # which no statement changes: it has a test of its own


def examples(section: str) -> list[object]:
    return [
        pytest.param(one, line, id=f"{one.name}: {line[:60]}")
        for one in ALL
        for line in one.examples(section)
    ]


@pytest.mark.parametrize(("check", "line"), examples("Fires"))
@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_fires(database: Database, check: Check, line: str) -> None:
    database.execute(SHOP)
    assert not check(scene(database))

    database.execute(line)

    assert check(scene(database))


@pytest.mark.parametrize(("check", "line"), examples("Silent"))
@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_silent(database: Database, check: Check, line: str) -> None:
    database.execute(SHOP + line)
    assert not check(scene(database))


def test_a_sound_database_raises_nothing_on_any_server(database: Database) -> None:
    database.execute(SHOP)
    assert answers(scene(database), ALL) == ((), ())


@pytest.mark.parametrize("check", ALL, ids=[one.name for one in ALL])
def test_a_check_documents_both_sides_and_its_source(check: Check) -> None:
    if check.name not in BY_VERSION:
        assert check.examples("Fires")
        assert check.examples("Silent")
    assert check.examples("Source")
    assert all(line.startswith("https://") for line in check.examples("Source"))


def test_names_and_codes_are_unique() -> None:
    assert len({one.code for one in ALL}) == len({one.name for one in ALL}) == len(ALL)
