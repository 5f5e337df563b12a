"""PW227 join-tenant, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import PLACES, proved, said
from tests.survey.attacks.verdicts import by_whom, mend

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "join-tenant"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
MEMBERS = "public.members"
ENTER = "SELECT set_config('lab.person', '7{}', false)"
PERSON = "current_setting('lab.person', true)::int"
FOUND = {("acme", MEMBERS, "read")}


@pytest.fixture
def club(lab: Lab) -> Lab:
    """Invoices are open to members of their tenant; a person sees the own memberships."""
    lab.database.execute(
        f"CREATE TABLE {MEMBERS} (tenant int, person int, since date, "
        "PRIMARY KEY (tenant, person));"
        f"ALTER TABLE {MEMBERS} ENABLE ROW LEVEL SECURITY;"
        f"CREATE POLICY look ON {MEMBERS} FOR SELECT USING (person = {PERSON});"
        "ALTER POLICY own ON public.invoices USING (tenant IN "
        f"(SELECT m.tenant FROM {MEMBERS} m WHERE m.person = {PERSON}));"
        f"GRANT SELECT, INSERT, UPDATE ON {MEMBERS} TO lab_app"
    )
    return lab


@PLACES
def test_memberships_that_only_the_administrator_makes(club: Lab, place: Place) -> None:
    report = club.survey(ATTACK, enter=ENTER, place=place)

    assert proved(report)
    assert report.attempts == 2


@PLACES
def test_everybody_makes_himself_a_member(club: Lab, place: Place) -> None:
    club.database.execute(
        f"CREATE POLICY join_in ON {MEMBERS} FOR INSERT WITH CHECK (person = {PERSON})"
    )

    report = club.survey(ATTACK, enter=ENTER, place=place)

    assert by_whom(report) == FOUND
    assert f"acme: INSERT INTO {MEMBERS}" in said(report)
    assert "FROM public.invoices" in said(report)
    assert [finding.fix for finding in report.findings] == [
        f'REVOKE INSERT ON {MEMBERS} FROM "lab_app"'
    ]
    mend(club, report)
    assert proved(club.survey(ATTACK, enter=ENTER, place=place))


def test_a_membership_is_changed_to_another_tenant(club: Lab) -> None:
    club.database.execute(f"CREATE POLICY change ON {MEMBERS} FOR UPDATE USING (person = {PERSON})")

    report = club.survey(ATTACK, enter=ENTER)

    assert by_whom(report) == FOUND
    assert f"acme: UPDATE {MEMBERS} SET tenant = '202'" in said(report)
    mend(club, report)
    assert proved(club.survey(ATTACK, enter=ENTER))


def test_a_membership_that_opens_nothing(club: Lab) -> None:
    club.database.execute(
        f"CREATE POLICY join_in ON {MEMBERS} FOR INSERT WITH CHECK (person = {PERSON});"
        "ALTER TABLE public.members ADD accepted boolean NOT NULL DEFAULT false;"
        "REVOKE INSERT ON public.members FROM lab_app;"
        "GRANT INSERT (tenant, person) ON public.members TO lab_app;"
        "ALTER POLICY own ON public.invoices USING (tenant IN "
        f"(SELECT m.tenant FROM {MEMBERS} m WHERE m.person = {PERSON} AND m.accepted))"
    )

    report = club.survey(ATTACK, enter=ENTER)

    assert proved(report)
    assert report.cells == {(MEMBERS, "read"): "held"}
