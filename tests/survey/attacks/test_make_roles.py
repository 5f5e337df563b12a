"""PW243 make-roles, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.surveys import WALLED, found, quiet

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.conftest import Database
    from tests.survey.surveys import Survey

EXPORTER = "CREATE ROLE exporter NOLOGIN BYPASSRLS; GRANT SELECT ON notes TO exporter;"


@pytest.mark.parametrize("place", ["copy", "target"])
@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_createrole_grants_itself_anything_until_15(
    database: Database, survey: Survey, place: Place
) -> None:
    database.execute(WALLED + EXPORTER + "ALTER ROLE app CREATEROLE")
    report = survey("make-roles", place=place)
    assert found(report) == {("read", "role app")}
    database.execute(report.findings[0].fix)
    assert quiet(survey("make-roles", place=place))


@pytest.mark.parametrize("server", ["postgres18"], indirect=True)
def test_createrole_alone_is_not_enough_from_16(database: Database, survey: Survey) -> None:
    database.execute(WALLED + EXPORTER + "ALTER ROLE app CREATEROLE")
    assert quiet(survey("make-roles"))


@pytest.mark.parametrize("server", ["postgres18"], indirect=True)
def test_the_admin_option_gives_what_inherit_and_set_withhold(
    database: Database, survey: Survey
) -> None:
    database.execute(WALLED + EXPORTER)
    database.execute("GRANT exporter TO app WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
    report = survey("make-roles")
    assert found(report) == {("read", "role app")}
    assert report.findings[0].fix.startswith("REVOKE ADMIN OPTION")


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_the_password_of_another_tenants_login(database: Database, survey: Survey) -> None:
    database.execute(WALLED + "CREATE ROLE app_two LOGIN; ALTER ROLE app CREATEROLE")
    database.execute("GRANT SELECT, INSERT ON notes TO app_two")
    report = survey("make-roles", logins=("app", "app_two"))
    assert ("escalate", "role app_two") in found(report)


def test_without_either_nothing_is_tried(database: Database, survey: Survey) -> None:
    database.execute(WALLED + EXPORTER)
    assert survey("make-roles").attempts == 0
