"""PW202 unassigned-rows, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from partywall.survey.configuration import PublicRows
from tests.survey.attacks.lab import PLACES, proved, said
from tests.survey.attacks.verdicts import by_whom, mend

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "unassigned-rows"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
TABLE = "public.tickets"
CONTEXT = "nullif(current_setting('lab.tenant', true), '')::int"


@pytest.fixture
def tickets(lab: Lab) -> Lab:
    """Tickets whose tenant may be missing, behind a sound policy."""
    lab.database.execute(
        f"CREATE TABLE {TABLE} (tenant int, id uuid PRIMARY KEY, title text NOT NULL);"
        f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        f"CREATE POLICY own ON {TABLE} USING (tenant = {CONTEXT});"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO lab_app"
    )
    return lab


@PLACES
def test_a_comparison_that_nobody_passes_with_null(tickets: Lab, place: Place) -> None:
    report = tickets.survey(ATTACK, place=place)

    assert proved(report)
    assert report.cells == {(TABLE, "read"): "held", (TABLE, "write"): "held"}


@PLACES
def test_a_missing_tenant_that_equals_a_missing_context(tickets: Lab, place: Place) -> None:
    tickets.database.execute(
        f"ALTER POLICY own ON {TABLE} USING (tenant IS NOT DISTINCT FROM {CONTEXT})"
    )

    report = tickets.survey(ATTACK, place=place)

    assert by_whom(report) == {("anonymous", TABLE, "read"), ("empty context", TABLE, "read")}
    assert f"SELECT * FROM {TABLE} WHERE tenant IS NULL" in said(report)
    mend(tickets, report)
    assert proved(tickets.survey(ATTACK, place=place))


def test_rows_without_a_tenant_that_are_everybodys(tickets: Lab) -> None:
    tickets.database.execute(
        f"ALTER POLICY own ON {TABLE} USING (tenant IS NULL OR tenant = {CONTEXT})"
    )

    report = tickets.survey(ATTACK)

    assert by_whom(report) == {("acme", TABLE, "read"), ("acme", TABLE, "write")}
    mend(tickets, report)
    assert proved(tickets.survey(ATTACK))


def test_rows_for_all_to_read_that_tenants_cannot_write(tickets: Lab) -> None:
    tickets.database.execute(f"CREATE POLICY common ON {TABLE} FOR SELECT USING (tenant IS NULL)")

    assert proved(tickets.survey(ATTACK))


def test_public_rows_are_left_alone(tickets: Lab) -> None:
    tickets.database.execute(
        f"ALTER POLICY own ON {TABLE} USING (tenant IS NULL OR tenant = {CONTEXT})"
    )

    report = tickets.survey(ATTACK, public=(PublicRows(TABLE, "tenant IS NULL"),))

    assert report.attempts == 0


def test_a_row_without_the_parent_that_would_say_whose_it_is(tickets: Lab) -> None:
    own = f"EXISTS (SELECT FROM {TABLE} t WHERE t.id = ticket)"
    tickets.database.execute(
        "CREATE TABLE public.replies (id uuid PRIMARY KEY, body text NOT NULL, "
        f"ticket uuid REFERENCES {TABLE});"
        "ALTER TABLE public.replies ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        f"CREATE POLICY own ON public.replies USING ({own});"
        "GRANT SELECT, INSERT, UPDATE, DELETE ON public.replies TO lab_app"
    )
    assert proved(tickets.survey(ATTACK))
    tickets.database.execute(f"ALTER POLICY own ON public.replies USING (ticket IS NULL OR {own})")
    where = {(finding.at, finding.effect) for finding in tickets.survey(ATTACK).findings}
    assert where == {("public.replies", "read"), ("public.replies", "write")}
