"""PW255 change-settings, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.surveys import WALLED, found, quiet

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.conftest import Database
    from tests.survey.surveys import Survey

TWO = "CREATE ROLE app_two LOGIN; GRANT SELECT, INSERT ON notes TO app_two;"


@pytest.mark.parametrize("place", ["copy", "target"])
def test_the_owner_of_the_database_sets_what_sessions_begin_with(
    database: Database, survey: Survey, place: Place
) -> None:
    database.execute(WALLED + f"ALTER DATABASE {database.name} OWNER TO app")
    report = survey("change-settings", place=place)
    assert found(report) == {("escalate", f"database {database.name}")}
    assert quiet(survey("change-settings", attacker="query"))
    assert database.rows("SELECT FROM pg_db_role_setting") == []


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_createrole_sets_it_for_another_login(database: Database, survey: Survey) -> None:
    database.execute(WALLED + TWO + "ALTER ROLE app CREATEROLE")
    report = survey("change-settings", logins=("app", "app_two"))
    assert found(report) == {("escalate", "role app_two")}


def test_held(database: Database, survey: Survey) -> None:
    database.execute(WALLED + TWO)
    assert quiet(survey("change-settings", logins=("app", "app_two")))
    assert quiet(survey("change-settings"))
