"""PW224 change-row, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import PLACES, proved, said
from tests.survey.attacks.verdicts import ANYONE, by_whom

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "change-row"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
TABLE = "public.invoices"


@PLACES
def test_an_update_that_reaches_every_row(lab: Lab, place: Place) -> None:
    lab.database.execute(f"CREATE POLICY wide ON {TABLE} FOR UPDATE USING (true)")

    report = lab.survey(ATTACK, place=place)

    assert by_whom(report) == {(who, TABLE, "write") for who in ANYONE}
    assert f"acme: UPDATE {TABLE} SET number = " in said(report)
    lab.database.execute(f"DROP POLICY wide ON {TABLE}")
    again = lab.survey(ATTACK, place=place)
    assert proved(again)
    assert again.attempts == len(ANYONE)


def test_one_that_reaches_every_row_without_a_tenant(lab: Lab) -> None:
    lab.database.execute(
        f"CREATE POLICY wide ON {TABLE} FOR UPDATE "
        "USING (coalesce(current_setting('lab.tenant', true), '') = '')"
    )

    strangers = {"anonymous", "empty context"}
    assert by_whom(lab.survey(ATTACK)) == {(who, TABLE, "write") for who in strangers}


def test_a_column_that_alone_may_be_updated(lab: Lab) -> None:
    lab.database.execute(
        f"CREATE POLICY wide ON {TABLE} FOR UPDATE USING (true);"
        f"REVOKE UPDATE ON {TABLE} FROM lab_app; GRANT UPDATE (quantity) ON {TABLE} TO lab_app"
    )

    report = lab.survey(ATTACK)

    assert by_whom(report) == {(who, TABLE, "write") for who in ANYONE}
    assert "SET quantity = " in said(report)


def test_a_view_of_a_superuser_until_it_asks_as_the_invoker(lab: Lab) -> None:
    lab.database.execute(
        "CREATE VIEW public.every AS SELECT tenant, id, number, note FROM public.invoices;"
        "GRANT SELECT, UPDATE ON public.every TO lab_app"
    )

    assert by_whom(lab.survey(ATTACK)) == {(who, "public.every", "write") for who in ANYONE}

    lab.database.execute("ALTER VIEW public.every SET (security_invoker = true)")
    assert proved(lab.survey(ATTACK))


def test_no_permission_to_update_leaves_nothing_to_try(lab: Lab) -> None:
    lab.database.execute(f"REVOKE UPDATE ON {TABLE} FROM lab_app")

    assert lab.survey(ATTACK).attempts == 0
