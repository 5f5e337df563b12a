"""PW247 plant-trigger, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.surveys import WALLED, found, quiet

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.conftest import Database
    from tests.survey.surveys import Survey

NO_TEMP = """
DO $$ BEGIN
  EXECUTE format('REVOKE TEMP ON DATABASE %I FROM PUBLIC', current_database());
END $$
"""


@pytest.mark.parametrize("place", ["copy", "target"])
@pytest.mark.parametrize(
    ("room", "effect"),
    [("CREATE SCHEMA side AUTHORIZATION app", "read"), ("", "write"), (NO_TEMP, "disrupt")],
)
def test_a_trigger_of_as_own_meets_what_b_inserts(
    database: Database, survey: Survey, room: str, effect: str, place: Place
) -> None:
    database.execute(WALLED + "GRANT TRIGGER ON notes TO app;" + room)
    report = survey("plant-trigger", place=place)
    assert found(report) == {(effect, "public.notes")}
    assert quiet(survey("plant-trigger", attacker="query"))
    database.execute(report.findings[0].fix)
    assert quiet(survey("plant-trigger", place=place))


def test_a_target_is_not_locked(database: Database, survey: Survey) -> None:
    database.execute(WALLED + "GRANT TRIGGER ON notes TO app")
    report = survey("plant-trigger", place="target")
    assert [step.sql for step in report.findings[0].witness] == [
        "SELECT has_table_privilege('public.notes', 'TRIGGER')"
    ]
