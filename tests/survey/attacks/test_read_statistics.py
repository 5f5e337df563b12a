"""PW215 read-statistics, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import PLACES, breaches, proved

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "read-statistics"
ANALYZED = "ANALYZE public.invoices;"


@PLACES
@pytest.mark.parametrize("catalog", ["pg_statistic", "pg_statistic_ext_data"])
def test_a_catalog_that_was_granted(lab: Lab, catalog: str, place: Place) -> None:
    lab.database.execute(
        "CREATE STATISTICS public.pairs (mcv) ON number, note FROM public.invoices;"
        "INSERT INTO public.invoices SELECT 202, n, 'B-number', 'B-note which is longer', 5"
        " FROM generate_series(10, 90) AS n;"
        f"{ANALYZED} GRANT SELECT ON pg_catalog.{catalog} TO lab_app"
    )

    report = lab.survey(ATTACK, attacker="sql", place=place)

    assert breaches(report) == {(f"{catalog} of public.invoices", "read")}


@PLACES
def test_a_view_whose_owner_sees_everything(lab: Lab, place: Place) -> None:
    lab.database.execute(
        "CREATE VIEW public.columns AS SELECT starelid::regclass, stavalues1::text"
        f" FROM pg_catalog.pg_statistic; GRANT SELECT ON public.columns TO lab_app; {ANALYZED}"
    )

    assert breaches(lab.survey(ATTACK, place=place)) == {("public.columns", "read")}


@PLACES
def test_a_view_without_values_holds(lab: Lab, place: Place) -> None:
    lab.database.execute(
        "CREATE VIEW public.columns AS SELECT attname, null_frac FROM pg_catalog.pg_stats;"
        f"GRANT SELECT ON public.columns TO lab_app; {ANALYZED}"
    )

    report = lab.survey(ATTACK, place=place)

    assert (report.verdict, report.attempts) == ("held", 1)


@PLACES
def test_what_pg_stats_shows_of_a_table_with_row_security_holds(lab: Lab, place: Place) -> None:
    lab.database.execute(ANALYZED)

    report = lab.survey(ATTACK, attacker="sql", place=place)

    assert proved(report)
    assert report.attempts == 1


def test_nothing_is_analyzed_on_a_target_in_use(lab: Lab) -> None:
    lab.survey(ATTACK, attacker="sql", place="target")

    assert lab.database.rows("SELECT reltuples FROM pg_class WHERE relname = 'invoices'") == [(-1,)]
