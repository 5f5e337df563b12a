"""PW256 set-flags, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import PLACES, proved, said
from tests.survey.attacks.verdicts import by_whom

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "set-flags"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
MINE = "tenant = current_setting('lab.tenant', true)::int"
FOUND = {("acme", "setting lab.support", "read")}


def policy(lab: Lab, using: str) -> None:
    lab.database.execute(f"ALTER POLICY own ON public.invoices USING ({using})")


@PLACES
@pytest.mark.parametrize("value", ["on", "a word of our own", "it''s"])
def test_a_flag_that_any_client_may_set(lab: Lab, place: Place, value: str) -> None:
    policy(lab, f"{MINE} OR current_setting('lab.support', true) = '{value}'")

    report = lab.survey(ATTACK, attacker="sql", place=place)

    assert by_whom(report) == FOUND
    assert f"set_config('lab.support', '{value}', true)" in said(report)


@PLACES
def test_a_flag_that_only_narrows(lab: Lab, place: Place) -> None:
    policy(lab, f"{MINE} AND coalesce(current_setting('lab.support', true), '') <> 'nothing'")

    report = lab.survey(ATTACK, attacker="sql", place=place)

    assert proved(report)
    assert report.cells == {("setting lab.support", "read"): "held"}


def test_a_function_that_reads_the_flag(lab: Lab) -> None:
    lab.database.execute(
        "CREATE FUNCTION public.supports() RETURNS boolean LANGUAGE sql STABLE AS "
        "$$ SELECT current_setting('lab.support', true) = 'yes please' $$"
    )
    policy(lab, f"{MINE} OR public.supports()")

    assert by_whom(lab.survey(ATTACK, attacker="sql")) == FOUND


def test_a_role_of_its_own_instead(lab: Lab) -> None:
    lab.database.execute("CREATE ROLE lab_support LOGIN")
    policy(lab, f"{MINE} OR current_user = 'lab_support'")

    assert lab.survey(ATTACK, attacker="sql").attempts == 0


def test_settings_that_the_tenant_enters_are_no_flags(lab: Lab) -> None:
    assert lab.survey(ATTACK, attacker="sql").attempts == 0


def test_ordinary_queries_set_nothing(lab: Lab) -> None:
    policy(lab, f"{MINE} OR current_setting('lab.support', true) = 'on'")

    assert lab.survey(ATTACK, attacker="query").attempts == 0
