"""PW249 plant-in-path, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.surveys import WALLED, found, quiet

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.conftest import Database
    from tests.survey.surveys import Survey

BEHIND = """
CREATE SCHEMA core AUTHORIZATION keeper; GRANT USAGE ON SCHEMA core TO app;
ALTER TABLE notes SET SCHEMA core; ALTER ROLE app SET search_path = public, core;
"""


@pytest.mark.parametrize("place", ["copy", "target"])
def test_a_table_before_the_protected_one(database: Database, survey: Survey, place: Place) -> None:
    database.execute(WALLED + BEHIND + "GRANT CREATE ON SCHEMA public TO app")
    report = survey("plant-in-path", place=place)
    assert {("read", "core.notes"), ("write", "core.notes")} <= found(report)
    assert quiet(survey("plant-in-path", attacker="query"))
    database.execute(report.findings[0].fix)
    assert quiet(survey("plant-in-path", place=place))
    assert database.rows("SELECT FROM pg_class WHERE relname LIKE 'partywall%'") == []


def test_a_function_that_fits_better_than_the_built_in_one(
    database: Database, survey: Survey
) -> None:
    database.execute(WALLED + "GRANT CREATE ON SCHEMA public TO PUBLIC")
    assert found(survey("plant-in-path")) == {("read", "schema public")}


def test_the_schema_that_the_path_leads_with_and_nobody_made(
    database: Database, survey: Survey
) -> None:
    database.execute(WALLED + f"GRANT CREATE ON DATABASE {database.name} TO app")
    assert ("read", "public.notes") in found(survey("plant-in-path"))


def test_a_schema_outside_of_every_path(database: Database, survey: Survey) -> None:
    database.execute(WALLED + BEHIND + "CREATE SCHEMA side AUTHORIZATION app")
    assert quiet(survey("plant-in-path"))
