"""PW257 change-context, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.surveys import TWO_LOGINS, WALLED, found, quiet

if TYPE_CHECKING:
    from partywall.survey.attack import Level, Place
    from tests.conftest import Database
    from tests.survey.surveys import Survey


@pytest.mark.parametrize("place", ["copy", "target"])
def test_a_setting_that_anyone_may_set(database: Database, survey: Survey, place: Place) -> None:
    database.execute(WALLED)
    report = survey("change-context", attacker="context", place=place)
    assert found(report) == {("read", "public.notes")}
    said = [step.sql for step in report.findings[0].witness]
    assert "SELECT set_config('app.org', '2', true)" in said
    assert "shows B's rows" in report.findings[0].because


@pytest.mark.parametrize("attacker", ["query", "sql"])
def test_it_is_no_attack_of_those_who_may_not_change_the_context(
    database: Database, survey: Survey, attacker: Level
) -> None:
    database.execute(WALLED)
    assert quiet(survey("change-context", attacker=attacker))


def test_a_login_for_each_tenant_is_no_setting(database: Database, survey: Survey) -> None:
    database.execute(TWO_LOGINS)
    report = survey(
        "change-context", attacker="context", logins=("app_one", "app_two"), ids=("one", "two"),
        enter="SET LOCAL search_path = {id}",
    )  # fmt: skip
    assert quiet(report)
