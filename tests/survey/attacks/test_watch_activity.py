"""PW216 watch-activity, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from partywall.errors import ConfigurationError
from tests.survey.attacks.lab import PLACES, breaches, proved, said

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "watch-activity"
TWO_LOGINS = (
    "CREATE ROLE lab_acme LOGIN IN ROLE lab_app; CREATE ROLE lab_globex LOGIN IN ROLE lab_app;"
)
LOGINS = ("lab_acme", "lab_globex")
FOUND = {("pg_catalog.pg_stat_activity", "read")}


@PLACES
def test_one_login_sees_the_statements_of_all_its_sessions(lab: Lab, place: Place) -> None:
    report = lab.survey(ATTACK, attacker="sql", place=place)

    assert breaches(report) == FOUND
    assert "pwb" in said(report)


def test_a_monitor_sees_those_of_every_login(lab: Lab) -> None:
    lab.database.execute(TWO_LOGINS + "GRANT pg_monitor TO lab_acme")

    assert breaches(lab.survey(ATTACK, attacker="sql", logins=LOGINS)) == FOUND


@PLACES
def test_a_login_of_ones_own_keeps_them(lab: Lab, place: Place) -> None:
    lab.database.execute(TWO_LOGINS)

    assert proved(lab.survey(ATTACK, attacker="sql", logins=LOGINS, place=place))


def test_without_a_log_in_there_is_no_survey(lab: Lab) -> None:
    lab.database.execute("ALTER ROLE lab_app CONNECTION LIMIT 0")

    with pytest.raises(ConfigurationError, match=r"\[tenants\.acme\] url: .*too many connections"):
        lab.survey(ATTACK, attacker="sql")


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_it_takes_sql_of_ones_own(lab: Lab) -> None:
    assert lab.survey(ATTACK).attempts == 0
