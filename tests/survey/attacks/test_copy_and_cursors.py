"""PW219 copy-and-cursors, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from partywall.survey.configuration import PublicRows
from tests.survey.attacks.lab import PLACES, breaches, proved, said

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "copy-and-cursors"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
FOUND = {("public.invoices", "read")}


@PLACES
def test_a_table_without_row_security(lab: Lab, place: Place) -> None:
    lab.database.execute("ALTER TABLE public.invoices DISABLE ROW LEVEL SECURITY")

    report = lab.survey(ATTACK, place=place)

    assert breaches(report) == FOUND
    assert said(report).startswith("acme: COPY")


def test_columns_that_were_granted_alone(lab: Lab) -> None:
    lab.database.execute(
        "ALTER TABLE public.invoices DISABLE ROW LEVEL SECURITY;"
        "REVOKE ALL ON public.invoices FROM lab_app;"
        "GRANT SELECT (tenant, id, note) ON public.invoices TO lab_app"
    )

    report = lab.survey(ATTACK)

    assert breaches(report) == FOUND
    assert "COPY public.invoices (tenant, id, note) TO STDOUT" in said(report)


@PLACES
def test_row_security_binds_all_of_them(lab: Lab, place: Place) -> None:
    report = lab.survey(ATTACK, place=place)

    assert proved(report)
    assert report.attempts == 1


def test_a_login_that_may_do_nothing_has_no_way(lab: Lab) -> None:
    lab.database.execute("REVOKE ALL ON public.invoices FROM lab_app")

    assert lab.survey(ATTACK).attempts == 0


def test_public_rows_are_left_to_the_plain_read(lab: Lab) -> None:
    rows = (PublicRows("public.invoices", "quantity > 0"),)

    assert lab.survey(ATTACK, public=rows).attempts == 0
