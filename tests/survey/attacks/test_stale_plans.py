"""PW218 stale-plans, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import PLACES, breaches, proved, said

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "stale-plans"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
HELPER = (
    "CREATE FUNCTION public.me() RETURNS int LANGUAGE sql {} SET search_path = pg_catalog"
    " AS $$ SELECT current_setting('lab.tenant', true)::int $$;"
)
POLICY = "ALTER POLICY own ON public.invoices USING (tenant = public.me());"
LIST = (
    "CREATE FUNCTION public.list() RETURNS SETOF text LANGUAGE plpgsql STABLE"
    " AS $$ BEGIN RETURN QUERY SELECT note FROM public.invoices; END $$;"
)


@PLACES
def test_a_statement_that_was_prepared_for_another_tenant(lab: Lab, place: Place) -> None:
    lab.database.execute(HELPER.format("IMMUTABLE") + POLICY)

    report = lab.survey(ATTACK, place=place)

    assert breaches(report) == {("public.invoices", "read")}
    assert "acme: EXECUTE partywall_plan" in said(report)
    assert report.findings[0].fix == "ALTER FUNCTION public.me() STABLE"


@PLACES
def test_a_function_that_keeps_its_plan(lab: Lab, place: Place) -> None:
    lab.database.execute(HELPER.format("IMMUTABLE") + POLICY + LIST)

    report = lab.survey(ATTACK, place=place)

    assert breaches(report) == {("public.invoices", "read"), ("public.list()", "read")}


def test_a_view_that_filters_by_the_helper(lab: Lab) -> None:
    lab.database.execute(
        HELPER.format("IMMUTABLE")
        + "CREATE VIEW public.mine AS SELECT * FROM public.invoices WHERE tenant = public.me();"
        "GRANT SELECT ON public.mine TO lab_app"
    )

    assert breaches(lab.survey(ATTACK)) == {("public.mine", "read")}


def test_a_login_for_each_tenant_makes_plans_anew(lab: Lab) -> None:
    lab.database.execute(
        HELPER.format("IMMUTABLE") + POLICY + "CREATE ROLE lab_acme LOGIN IN ROLE lab_app;"
        "CREATE ROLE lab_globex LOGIN IN ROLE lab_app;"
    )

    assert proved(lab.survey(ATTACK, logins=("lab_acme", "lab_globex")))


def test_a_stable_helper_leaves_nothing_to_attack(lab: Lab) -> None:
    lab.database.execute(HELPER.format("STABLE") + POLICY + LIST)

    assert lab.survey(ATTACK).attempts == 0


def test_an_immutable_function_that_asks_nothing_is_none(lab: Lab) -> None:
    lab.database.execute(
        "CREATE FUNCTION public.me() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 101';" + POLICY
    )

    assert lab.survey(ATTACK).attempts == 0
