"""PW225 delete-row, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import PLACES, proved, said
from tests.survey.attacks.verdicts import ANYONE, by_whom

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "delete-row"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
TABLE = "public.invoices"


@PLACES
def test_a_delete_that_reaches_every_row(lab: Lab, place: Place) -> None:
    lab.database.execute(f"CREATE POLICY wide ON {TABLE} FOR DELETE USING (true)")

    report = lab.survey(ATTACK, place=place)

    assert by_whom(report) == {(who, TABLE, "destroy") for who in ANYONE}
    assert f"acme: DELETE FROM {TABLE} -> " in said(report)
    assert lab.database.rows(f"SELECT count(*) FROM {TABLE}") == [(2,)]
    lab.database.execute(f"DROP POLICY wide ON {TABLE}")
    again = lab.survey(ATTACK, place=place)
    assert proved(again)
    assert again.attempts == len(ANYONE)


def test_who_has_no_tenant_deletes(lab: Lab) -> None:
    lab.database.execute(
        f"CREATE POLICY clean ON {TABLE} FOR DELETE "
        "USING (current_setting('lab.tenant', true) IS NULL)"
    )

    assert by_whom(lab.survey(ATTACK)) == {("anonymous", TABLE, "destroy")}


def test_a_view_of_a_superuser_until_it_asks_as_the_invoker(lab: Lab) -> None:
    lab.database.execute(
        "CREATE VIEW public.every AS SELECT tenant, id, number FROM public.invoices;"
        "GRANT SELECT, DELETE ON public.every TO lab_app"
    )

    assert by_whom(lab.survey(ATTACK)) == {(who, "public.every", "destroy") for who in ANYONE}

    lab.database.execute("ALTER VIEW public.every SET (security_invoker = true)")
    assert proved(lab.survey(ATTACK))


def test_a_wall_without_a_door_is_closed_to_all(lab: Lab) -> None:
    lab.database.execute(
        f"DROP POLICY own ON {TABLE}; CREATE POLICY own ON {TABLE} FOR SELECT "
        "USING (tenant = current_setting('lab.tenant', true)::int)"
    )

    assert lab.survey(ATTACK).cells == {(TABLE, "destroy"): "closed"}
