"""PW246 reference-probe, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.surveys import WALLED, found, quiet

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.conftest import Database
    from tests.survey.surveys import Survey

SCRATCH = "CREATE SCHEMA scratch AUTHORIZATION app;"


@pytest.mark.parametrize("place", ["copy", "target"])
def test_a_foreign_key_of_as_own_tells_which_keys_b_has(
    database: Database, survey: Survey, place: Place
) -> None:
    database.execute(WALLED + SCRATCH + "GRANT REFERENCES ON notes TO app")
    report = survey("reference-probe", place=place)
    assert found(report) == {("detect", "public.notes (org, id)")}
    assert quiet(survey("reference-probe", attacker="query"))
    database.execute(report.findings[0].fix)
    assert quiet(survey("reference-probe", place=place))


def test_create_on_the_database_is_enough(database: Database, survey: Survey) -> None:
    database.execute(WALLED + "GRANT REFERENCES (org, id) ON notes TO app")
    assert survey("reference-probe").attempts == 0
    database.execute(f"GRANT CREATE ON DATABASE {database.name} TO app")
    assert found(survey("reference-probe")) == {("detect", "public.notes (org, id)")}


@pytest.mark.parametrize("grant", ["", "GRANT REFERENCES (org) ON notes TO app"])
def test_without_references_on_a_whole_key_there_is_none(
    database: Database, survey: Survey, grant: str
) -> None:
    database.execute(WALLED + SCRATCH + grant)
    assert quiet(survey("reference-probe"))
