"""PW223 take-row, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import PLACES, proved, said
from tests.survey.attacks.verdicts import ANYONE, by_whom

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "take-row"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
TABLE = "public.invoices"


@PLACES
def test_an_update_that_reaches_every_row(lab: Lab, place: Place) -> None:
    lab.database.execute(f"CREATE POLICY wide ON {TABLE} FOR UPDATE USING (true)")

    report = lab.survey(ATTACK, place=place)

    assert by_whom(report) == {
        ("acme", TABLE, "read"), ("anonymous", TABLE, "write"), ("empty context", TABLE, "write"),
    }  # fmt: skip
    assert f"acme: UPDATE {TABLE} SET tenant = '101' -> " in said(report)
    lab.database.execute(f"DROP POLICY wide ON {TABLE}")
    again = lab.survey(ATTACK, place=place)
    assert proved(again)
    assert again.attempts == len(ANYONE)


def test_rows_that_may_become_ones_own_only(lab: Lab) -> None:
    mine = "tenant = current_setting('lab.tenant', true)::int"
    lab.database.execute(
        f"CREATE POLICY wide ON {TABLE} FOR UPDATE USING (true) WITH CHECK ({mine})"
    )

    assert by_whom(lab.survey(ATTACK)) == {("acme", TABLE, "read")}


def test_taken_and_never_seen(lab: Lab) -> None:
    lab.database.execute(
        f"CREATE POLICY wide ON {TABLE} FOR UPDATE USING (true);"
        f"REVOKE SELECT ON {TABLE} FROM lab_app"
    )

    assert by_whom(lab.survey(ATTACK)) == {(who, TABLE, "write") for who in ANYONE}


def test_a_view_of_a_superuser_until_it_asks_as_the_invoker(lab: Lab) -> None:
    lab.database.execute(
        "CREATE VIEW public.every AS SELECT tenant, id, number FROM public.invoices;"
        "GRANT SELECT, UPDATE ON public.every TO lab_app"
    )

    assert by_whom(lab.survey(ATTACK)) == {(who, "public.every", "read") for who in ANYONE}

    lab.database.execute("ALTER VIEW public.every SET (security_invoker = true)")
    assert proved(lab.survey(ATTACK))


def test_a_bare_update_of_many_rows_is_not_tried_on_the_target(lab: Lab) -> None:
    lab.database.execute(
        f"INSERT INTO {TABLE} SELECT 303, n, 'n' || n FROM generate_series(1, 10500) n;"
        f"ANALYZE {TABLE}"
    )

    report = lab.survey(ATTACK, place="target")

    assert report.verdict == "undecided"
    assert {one.at for one in report.undecided} == {TABLE}
    assert "a bare UPDATE would lock" in report.undecided[0].because
