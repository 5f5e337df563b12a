"""PW204 lapsed-member, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import PLACES, proved, said
from tests.survey.attacks.verdicts import by_whom

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "lapsed-member"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
MEMBERS = "public.members"
ENTER = "SELECT set_config('lab.person', '7{}', false)"
PERSON = "current_setting('lab.person', true)::int"


def joined(lab: Lab, status: str, condition: str) -> None:
    """Invoices are open to who is a member of their tenant, if *condition* holds as well."""
    lab.database.execute(
        f"DROP TABLE IF EXISTS {MEMBERS} CASCADE; DROP POLICY IF EXISTS own ON public.invoices;"
        f"CREATE TABLE {MEMBERS} (tenant int, person int, {status}, PRIMARY KEY (tenant, person));"
        f"GRANT SELECT ON {MEMBERS} TO lab_app;"
        "CREATE POLICY own ON public.invoices USING (tenant IN (SELECT m.tenant FROM "
        f"public.members m WHERE m.person = {PERSON} AND {condition}))"
    )


STATUSES = [
    ("revoked_at timestamptz", "m.revoked_at IS NULL"),
    ("is_active boolean NOT NULL DEFAULT true", "m.is_active"),
    ("suspended boolean NOT NULL DEFAULT false", "NOT m.suspended"),
    ("status text NOT NULL DEFAULT 'active'", "m.status = 'active'"),
]


@pytest.mark.parametrize(("status", "condition"), STATUSES, ids=[s.split()[0] for s, _ in STATUSES])
def test_a_policy_that_does_not_ask_if_it_still_holds(
    lab: Lab, status: str, condition: str
) -> None:
    joined(lab, status, "true")

    report = lab.survey(ATTACK, enter=ENTER)

    assert by_whom(report) == {("acme", MEMBERS, "read")}
    assert (
        f"ended by {status.split(maxsplit=1)[0]} still opens public.invoices"
        in report.findings[0].because
    )
    assert "FROM public.invoices" in said(report)
    joined(lab, status, condition)
    assert proved(lab.survey(ATTACK, enter=ENTER))


@PLACES
def test_an_enumerated_status_on_either_place(lab: Lab, place: Place) -> None:
    lab.database.execute("CREATE TYPE public.standing AS ENUM ('invited', 'active', 'revoked')")
    status = "status public.standing NOT NULL"
    joined(lab, status, "true")

    assert by_whom(lab.survey(ATTACK, enter=ENTER, place=place)) == {("acme", MEMBERS, "read")}

    joined(lab, status, "m.status = 'active'")
    assert proved(lab.survey(ATTACK, enter=ENTER, place=place))


def test_a_membership_that_cannot_end(lab: Lab) -> None:
    joined(lab, "since date", "true")

    assert lab.survey(ATTACK, enter=ENTER).attempts == 0
