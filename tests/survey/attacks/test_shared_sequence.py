"""PW233 shared-sequence, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import PLACES, proved, said
from tests.survey.attacks.verdicts import by_whom

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "shared-sequence"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
FOUND = {("acme", "public.tasks_id_seq", "detect")}

ONE_EACH = (
    "CREATE ROLE lab_one LOGIN; CREATE ROLE lab_two LOGIN;"
    "CREATE SEQUENCE public.of_101 OWNED BY public.tasks.id;"
    "CREATE SEQUENCE public.of_202 OWNED BY public.tasks.id;"
    "GRANT USAGE, UPDATE ON SEQUENCE public.of_101 TO lab_one;"
    "GRANT USAGE, UPDATE ON SEQUENCE public.of_202 TO lab_two;"
    "GRANT SELECT, INSERT ON public.tasks TO lab_one, lab_two;"
    "ALTER TABLE public.tasks ALTER id SET DEFAULT "
    "nextval(('public.of_' || current_setting('lab.tenant'))::regclass)"
)
"""A sequence for each tenant, and a login for each."""


def tasks(lab: Lab, column: str) -> Lab:
    """A table of numbered tasks behind a wall."""
    lab.database.execute(
        f"CREATE TABLE public.tasks (tenant int NOT NULL, id {column}, title text NOT NULL, "
        "PRIMARY KEY (tenant, id));"
        "ALTER TABLE public.tasks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY own ON public.tasks "
        "USING (tenant = current_setting('lab.tenant', true)::int);"
        "GRANT SELECT, INSERT ON public.tasks TO lab_app"
    )
    return lab


@PLACES
def test_an_identity_column_counts_what_others_insert(lab: Lab, place: Place) -> None:
    tasks(lab, "int GENERATED ALWAYS AS IDENTITY")

    report = lab.survey(ATTACK, place=place)

    assert by_whom(report) == FOUND
    assert "RETURNING id" in said(report)
    assert "give public.tasks a uuid key" in report.findings[0].fix


@pytest.mark.parametrize(
    ("grant", "look"),
    [
        ("SELECT", "SELECT last_value + is_called::int FROM"),
        ("USAGE", "SELECT nextval("),
        ("UPDATE", "nextval("),
    ],
)
def test_a_sequence_that_may_be_looked_at_or_drawn_from(lab: Lab, grant: str, look: str) -> None:
    tasks(lab, "serial").database.execute(
        f"GRANT USAGE, {grant} ON SEQUENCE public.tasks_id_seq TO lab_app"
    )

    report = lab.survey(ATTACK)

    assert by_whom(report) == FOUND
    assert look in said(report)


def test_a_sequence_for_each_tenant(lab: Lab) -> None:
    tasks(lab, "int").database.execute(ONE_EACH)

    report = lab.survey(ATTACK, logins=("lab_one", "lab_two"))

    assert proved(report)
    assert report.cells == {
        ("public.of_101", "detect"): "held", ("public.of_202", "detect"): "held",
    }  # fmt: skip


def test_a_random_key_counts_nothing(lab: Lab) -> None:
    tasks(lab, "uuid DEFAULT gen_random_uuid()")

    assert lab.survey(ATTACK).attempts == 0


def test_rows_whose_other_columns_are_unique_as_well(lab: Lab) -> None:
    lab.database.execute(
        "CREATE TABLE public.tasks (tenant text NOT NULL, id uuid NOT NULL UNIQUE, number int "
        "GENERATED ALWAYS AS IDENTITY, title text NOT NULL, PRIMARY KEY (tenant, id),"
        "UNIQUE (tenant, title));"
        "ALTER TABLE public.tasks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY own ON public.tasks USING (tenant = current_setting('lab.tenant', true));"
        "GRANT SELECT, INSERT ON public.tasks TO lab_app"
    )
    assert by_whom(lab.survey(ATTACK)) == {("acme", "public.tasks_number_seq", "detect")}
