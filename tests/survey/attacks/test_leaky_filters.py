"""PW217 leaky-filters, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import CONTEXT, PLACES, breaches, proved, said

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "leaky-filters"
LEAKPROOF = "IMMUTABLE LEAKPROOF COST 0.0001 LANGUAGE plpgsql"
DIVIDES = (
    f"CREATE FUNCTION public.f(int) RETURNS bool {LEAKPROOF} AS 'BEGIN RETURN 1 / $1 > 0; END'"
)
TELLS = (
    f"CREATE FUNCTION public.f(text) RETURNS bool {LEAKPROOF}"
    " AS $$ BEGIN RAISE NOTICE 'seen: %', $1; RETURN true; END $$"
)
SAME = (
    "CREATE FUNCTION public.same(text, text) RETURNS bool LANGUAGE internal IMMUTABLE STRICT"
    " LEAKPROOF AS 'texteq'"
)
VIEW = (
    "CREATE VIEW public.mine {} AS SELECT number, quantity FROM public.invoices"
    f" WHERE tenant = {CONTEXT};"
    "REVOKE ALL ON public.invoices FROM lab_app; GRANT SELECT ON public.mine TO lab_app;"
)


@PLACES
@pytest.mark.parametrize(("function", "effect"), [(DIVIDES, "detect"), (TELLS, "read")])
def test_a_function_that_is_not_as_tight_as_it_says(
    lab: Lab, function: str, effect: str, place: Place
) -> None:
    lab.database.execute(function)

    report = lab.survey(ATTACK, place=place)

    assert breaches(report) == {("public.invoices", effect)}
    assert {f.fix for f in report.findings} <= {
        "ALTER FUNCTION public.f(integer) NOT LEAKPROOF",
        "ALTER FUNCTION public.f(text) NOT LEAKPROOF",
    }


@PLACES
@pytest.mark.parametrize(
    "function",
    [DIVIDES.replace("LEAKPROOF", ""), TELLS.replace("LEAKPROOF", ""), SAME],
    ids=["divides", "tells", "says nothing"],
)  # fmt: skip
def test_row_security_goes_first(lab: Lab, function: str, place: Place) -> None:
    lab.database.execute(function)

    report = lab.survey(ATTACK, attacker="sql", place=place)

    assert proved(report)


@PLACES
def test_a_view_without_a_barrier_shows_what_a_cast_refuses(lab: Lab, place: Place) -> None:
    lab.database.execute(VIEW.format(""))

    report = lab.survey(ATTACK, place=place)

    assert ("public.mine", "latent" if place == "target" else "read") in breaches(report)
    assert 'relation "pwb' in said(report)
    assert "security_barrier = true" in report.findings[0].fix


def test_a_view_without_a_barrier_and_a_function_of_ones_own(lab: Lab) -> None:
    lab.database.execute(VIEW.format("").replace(CONTEXT, f"(SELECT {CONTEXT})"))

    report = lab.survey(ATTACK, attacker="sql")

    assert ("public.mine", "read") in breaches(report)
    assert "pg_temp.partywall_peek" in said(report)
    assert "(pwb" in said(report)


@PLACES
def test_a_barrier_holds(lab: Lab, place: Place) -> None:
    lab.database.execute(VIEW.format("WITH (security_barrier)") + DIVIDES.replace("LEAKPROOF", ""))

    report = lab.survey(ATTACK, attacker="sql", place=place)

    assert proved(report)


def test_a_plan_that_hides_it_today_is_a_latent_door(lab: Lab) -> None:
    lab.database.execute(
        f"{DIVIDES}; INSERT INTO public.invoices SELECT 101, n, 'n', 'n', 1"
        " FROM generate_series(1000, 3000) AS n; ANALYZE public.invoices"
    )

    effects = {effect for _, effect in breaches(lab.survey(ATTACK, place="target"))}

    assert effects <= {"detect", "latent"}
    assert effects
