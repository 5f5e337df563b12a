"""PW212 count-differences, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import CONTEXT, PLACES, breaches, proved, said

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "count-differences"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
DEFINER = "STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp LANGUAGE sql"


@PLACES
@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("f() RETURNS bigint", "SELECT count(*) FROM public.invoices"),
        ("f(p_number text) RETURNS boolean",
         "SELECT EXISTS (SELECT FROM public.invoices WHERE number = p_number)"),
        ("f(p_tenant int) RETURNS bigint",
         "SELECT count(*) FROM public.invoices WHERE tenant = p_tenant"),
    ],
    ids=["counts", "looks for a value", "counts a tenant's"],
)  # fmt: skip
def test_a_function_whose_answer_betrays(lab: Lab, head: str, body: str, place: Place) -> None:
    lab.database.execute(f"CREATE FUNCTION public.{head} {DEFINER} AS $$ {body} $$")

    report = lab.survey(ATTACK, place=place)

    assert {effect for _, effect in breaches(report)} == {"detect"}
    [first, change, second] = report.findings[0].witness
    assert (first.sql, change.actor) == (second.sql, "administrator")
    assert first.returned != second.returned


@PLACES
def test_a_view_that_adds_up(lab: Lab, place: Place) -> None:
    lab.database.execute(
        "CREATE VIEW public.totals AS SELECT count(*), sum(quantity) FROM public.invoices;"
        "GRANT SELECT ON public.totals TO lab_app"
    )

    assert breaches(lab.survey(ATTACK, place=place)) == {("public.totals", "detect")}


def test_a_materialized_view_once_it_is_refreshed(lab: Lab) -> None:
    lab.database.execute(
        "CREATE MATERIALIZED VIEW public.totals AS SELECT count(*) FROM public.invoices;"
        "GRANT SELECT ON public.totals TO lab_app"
    )

    report = lab.survey(ATTACK)

    assert breaches(report) == {("public.totals", "detect")}
    assert "REFRESH MATERIALIZED VIEW public.totals" in said(report)


def test_a_materialized_view_of_a_target_in_use_is_not_locked(lab: Lab) -> None:
    lab.database.execute(
        "CREATE MATERIALIZED VIEW public.totals AS SELECT count(*) FROM public.invoices;"
        "GRANT SELECT ON public.totals TO lab_app"
    )

    assert lab.survey(ATTACK, place="target").attempts == 0


@PLACES
def test_what_counts_its_own_rows_holds(lab: Lab, place: Place) -> None:
    own = f"SELECT count(*) FROM public.invoices WHERE tenant = {CONTEXT}"
    lab.database.execute(
        f"CREATE VIEW public.totals AS {own}; GRANT SELECT ON public.totals TO lab_app;"
        f"CREATE FUNCTION public.f(p_number text) RETURNS bigint {DEFINER}"
        f" AS $$ {own} AND number = p_number $$"
    )

    report = lab.survey(ATTACK, place=place)

    assert proved(report)
    assert report.attempts == 2


def test_an_answer_that_changes_by_itself_proves_nothing(lab: Lab) -> None:
    lab.database.execute(
        f"CREATE FUNCTION public.f() RETURNS double precision {DEFINER}"
        " AS $$ SELECT random() + count(*) FROM public.invoices $$"
    )

    assert lab.survey(ATTACK).verdict == "held"


def test_an_id_that_nobody_can_guess_is_not_asked_for(lab: Lab) -> None:
    lab.database.execute(
        "ALTER TABLE public.invoices ADD ref uuid NOT NULL DEFAULT gen_random_uuid();"
        f"CREATE FUNCTION public.f(p_ref uuid) RETURNS boolean {DEFINER}"
        " AS $$ SELECT EXISTS (SELECT FROM public.invoices WHERE ref = p_ref) $$"
    )

    assert lab.survey(ATTACK).verdict == "held"
