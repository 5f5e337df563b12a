"""What `RowSecurity` creates, surveyed as an attacker with any SQL would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.runtime.shop import WALLS, built
from tests.survey.surveys import Survey

if TYPE_CHECKING:
    from partywall.survey.attack import Level
    from partywall.survey.verdict import Report
    from tests.conftest import Database

IDS = ("a1111111-1111-4111-8111-111111111111", "b2222222-2222-4222-8222-222222222222")
ENTER = f"SET LOCAL {WALLS.model.setting} = '{{id}}'"


def surveyed(database: Database, attacker: Level) -> Report:
    built(database)
    return Survey(database)(attacker=attacker, ids=IDS, enter=ENTER)


@pytest.mark.parametrize("attacker", ["query", "sql"])
def test_it_holds_also_against_injected_sql(database: Database, attacker: Level) -> None:
    report = surveyed(database, attacker)
    assert [(f.name, f.at, f.because) for f in report.findings] == []
    assert [(u.at, u.because) for u in report.undecided] == []


def test_it_does_not_hold_against_injected_sql_that_sets_the_context(database: Database) -> None:
    found = {(f.effect, f.at) for f in surveyed(database, "context").findings}
    assert ("read", "public.orders") in found
