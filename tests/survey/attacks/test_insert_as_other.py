"""PW221 insert-as-other, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import PLACES, proved, said
from tests.survey.attacks.verdicts import ANYONE, by_whom, mend

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "insert-as-other"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
TABLE = "public.invoices"


@PLACES
def test_a_policy_that_checks_nothing(lab: Lab, place: Place) -> None:
    lab.database.execute(f"CREATE POLICY wide ON {TABLE} FOR INSERT WITH CHECK (true)")

    report = lab.survey(ATTACK, place=place)

    assert by_whom(report) == {(who, TABLE, "write") for who in ANYONE}
    assert f"acme: INSERT INTO {TABLE}" in said(report)
    lab.database.execute(f"DROP POLICY wide ON {TABLE}")
    again = lab.survey(ATTACK, place=place)
    assert proved(again)
    assert again.attempts == len(ANYONE)


def test_a_policy_that_lets_in_who_has_no_tenant(lab: Lab) -> None:
    lab.database.execute(
        f"CREATE POLICY early ON {TABLE} FOR INSERT "
        "WITH CHECK (current_setting('lab.tenant', true) IS NULL)"
    )

    assert by_whom(lab.survey(ATTACK)) == {("anonymous", TABLE, "write")}


def test_a_view_without_a_check_option_until_it_has_one(lab: Lab) -> None:
    lab.database.execute(
        "CREATE VIEW public.mine AS SELECT tenant, id, number, note, quantity FROM public.invoices "
        "WHERE tenant = current_setting('lab.tenant', true)::int;"
        "GRANT SELECT, INSERT ON public.mine TO lab_app"
    )

    report = lab.survey(ATTACK)

    assert by_whom(report) == {(who, "public.mine", "write") for who in ANYONE}
    assert {finding.fix for finding in report.findings} == {
        "ALTER VIEW public.mine SET (check_option = cascaded)"
    }
    mend(lab, report)
    assert proved(lab.survey(ATTACK))


def test_columns_that_may_not_be_named_are_left_out(lab: Lab) -> None:
    lab.database.execute(
        f"REVOKE INSERT ON {TABLE} FROM lab_app;"
        f"GRANT INSERT (tenant, id, number) ON {TABLE} TO lab_app;"
        f"CREATE POLICY wide ON {TABLE} FOR INSERT WITH CHECK (true)"
    )

    report = lab.survey(ATTACK)

    assert by_whom(report) == {(who, TABLE, "write") for who in ANYONE}
    assert "INSERT INTO public.invoices (tenant, id, number) VALUES" in said(report)


def test_a_login_that_may_insert_nothing_has_no_way(lab: Lab) -> None:
    lab.database.execute(f"REVOKE INSERT ON {TABLE} FROM lab_app")

    assert lab.survey(ATTACK).attempts == 0
