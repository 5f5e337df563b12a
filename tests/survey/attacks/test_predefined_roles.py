"""PW244 predefined-roles, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.surveys import WALLED, found, quiet

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.conftest import Database
    from tests.survey.surveys import Survey


@pytest.mark.parametrize("place", ["copy", "target"])
@pytest.mark.parametrize(
    ("role", "effect"),
    [
        ("pg_read_server_files", "read"),
        ("pg_execute_server_program", "read"),
        ("pg_write_server_files", "write"),
        ("pg_read_all_stats", "read"),
        ("pg_signal_backend", "disrupt"),
    ],
)
def test_a_membership_reaches_past_tables(
    database: Database, survey: Survey, role: str, effect: str, place: Place
) -> None:
    database.execute(WALLED + f"GRANT {role} TO app")
    report = survey("predefined-roles", place=place)
    assert (effect, f"role {role}") in found(report)
    assert quiet(survey("predefined-roles", attacker="query"))
    database.execute(report.findings[0].fix)
    assert quiet(survey("predefined-roles", place=place))


def test_no_program_is_run_on_a_target(database: Database, survey: Survey) -> None:
    database.execute(WALLED + "GRANT pg_execute_server_program TO app")
    report = survey("predefined-roles", place="target")
    assert not any("PROGRAM" in step.sql for f in report.findings for step in f.witness)


def test_the_memberships_of_others_are_none(database: Database, survey: Survey) -> None:
    database.execute(WALLED + "GRANT pg_read_server_files TO keeper")
    assert quiet(survey("predefined-roles"))
