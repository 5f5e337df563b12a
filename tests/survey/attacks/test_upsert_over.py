"""PW226 upsert-over, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import PLACES, proved, said
from tests.survey.attacks.verdicts import by_whom

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "upsert-over"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
TABLE = "public.invoices"
FOUND = {("acme", TABLE, "write")}
READ = f"CREATE POLICY look ON {TABLE} FOR SELECT USING (true)"
WRITE = f"CREATE POLICY wide ON {TABLE} FOR UPDATE USING (true)"


@PLACES
def test_a_collision_with_a_row_that_an_update_reaches(lab: Lab, place: Place) -> None:
    lab.database.execute(f"ALTER TABLE {TABLE} ADD UNIQUE (number); {READ}; {WRITE}")

    report = lab.survey(ATTACK, place=place)

    assert by_whom(report) == FOUND
    assert [finding.witness[0].sql.split()[0] for finding in report.findings] == ["INSERT", "MERGE"]
    assert "ON CONFLICT (number) DO UPDATE SET note = " in said(report)
    lab.database.execute(f"DROP POLICY wide ON {TABLE}")
    again = lab.survey(ATTACK, place=place)
    assert proved(again)
    assert again.attempts == 2


def test_a_merge_needs_no_collision(lab: Lab) -> None:
    lab.database.execute(f"{READ}; {WRITE}")

    report = lab.survey(ATTACK)

    assert by_whom(report) == FOUND
    assert [finding.witness[0].sql.split()[0] for finding in report.findings] == ["MERGE"]


def test_a_key_led_by_the_tenant_collides_with_own_rows_only(lab: Lab) -> None:
    lab.database.execute(f"ALTER TABLE {TABLE} ADD UNIQUE (tenant, number)")

    report = lab.survey(ATTACK)

    assert proved(report)
    assert report.attempts == 1


@pytest.mark.parametrize("privilege", ["SELECT", "INSERT", "UPDATE"])
def test_all_three_privileges_are_needed(lab: Lab, privilege: str) -> None:
    lab.database.execute(f"{READ}; {WRITE}; REVOKE {privilege} ON {TABLE} FROM lab_app")

    assert lab.survey(ATTACK).attempts == 0
