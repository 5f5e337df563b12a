"""PW222 move-row, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import PLACES, proved, said
from tests.survey.attacks.verdicts import by_whom

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "move-row"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
TABLE = "public.invoices"


@PLACES
def test_an_update_whose_result_nobody_checks(lab: Lab, place: Place) -> None:
    lab.database.execute(
        f"CREATE POLICY wide ON {TABLE} FOR UPDATE USING (false) WITH CHECK (true)"
    )

    report = lab.survey(ATTACK, place=place)

    assert by_whom(report) == {("acme", TABLE, "write")}
    assert f"acme: UPDATE {TABLE} SET tenant = '202' -> " in said(report)
    lab.database.execute(f"DROP POLICY wide ON {TABLE}")
    again = lab.survey(ATTACK, place=place)
    assert proved(again)
    assert again.attempts == 1


def test_the_row_that_a_row_points_at(lab: Lab) -> None:
    lab.database.execute(
        "ALTER TABLE public.invoices ADD UNIQUE (id);"
        "CREATE TABLE public.lines (id int PRIMARY KEY, invoice bigint NOT NULL "
        "REFERENCES public.invoices (id), text text);"
        "ALTER TABLE public.lines ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY own ON public.lines USING (EXISTS (SELECT FROM public.invoices i "
        "WHERE i.id = invoice AND i.tenant = current_setting('lab.tenant', true)::int)) "
        "WITH CHECK (true);"
        "GRANT SELECT, UPDATE ON public.lines TO lab_app"
    )

    assert by_whom(lab.survey(ATTACK)) == {("acme", "public.lines", "write")}

    lab.database.execute(
        "ALTER POLICY own ON public.lines WITH CHECK (EXISTS (SELECT FROM public.invoices i "
        "WHERE i.id = invoice AND i.tenant = current_setting('lab.tenant', true)::int))"
    )
    assert proved(lab.survey(ATTACK))


def test_a_view_without_a_check_option(lab: Lab) -> None:
    lab.database.execute(
        "CREATE VIEW public.mine AS SELECT tenant, id, number, note FROM public.invoices "
        "WHERE tenant = current_setting('lab.tenant', true)::int;"
        "GRANT SELECT, UPDATE ON public.mine TO lab_app"
    )

    assert by_whom(lab.survey(ATTACK)) == {("acme", "public.mine", "write")}

    lab.database.execute("ALTER VIEW public.mine SET (check_option = cascaded)")
    assert proved(lab.survey(ATTACK))


def test_a_tenant_column_that_may_not_be_updated(lab: Lab) -> None:
    lab.database.execute(
        f"REVOKE UPDATE ON {TABLE} FROM lab_app; GRANT UPDATE (note) ON {TABLE} TO lab_app"
    )

    assert lab.survey(ATTACK).attempts == 0
