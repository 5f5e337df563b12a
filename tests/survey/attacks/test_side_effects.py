"""PW228 side-effects, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import PLACES
from tests.survey.attacks.verdicts import by_whom

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "side-effects"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
PAYMENTS = "public.payments"
SAME = "number = NEW.number"
OURS = "tenant = NEW.tenant"


@pytest.fixture
def paying(lab: Lab) -> Lab:
    """Payments behind a wall of their own; what happens to them is a test's."""
    lab.database.execute(
        f"CREATE TABLE {PAYMENTS} "
        "(tenant int NOT NULL, id uuid PRIMARY KEY, number text, note text);"
        f"ALTER TABLE {PAYMENTS} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        f"CREATE POLICY own ON {PAYMENTS} "
        "USING (tenant = current_setting('lab.tenant', true)::int);"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {PAYMENTS} TO lab_app"
    )
    return lab


def rule(lab: Lab, event: str, action: str) -> None:
    lab.database.execute(
        f"CREATE OR REPLACE RULE reach AS ON {event} TO {PAYMENTS} DO ALSO {action}"
    )


def trigger(lab: Lab, event: str, action: str, row: str = "NEW") -> None:
    lab.database.execute(
        "CREATE OR REPLACE FUNCTION public.reach() RETURNS trigger LANGUAGE plpgsql "
        f"SECURITY DEFINER AS $$ BEGIN {action}; RETURN {row}; END $$;"
        f"CREATE OR REPLACE TRIGGER reach BEFORE {event} ON {PAYMENTS} "
        "FOR EACH ROW EXECUTE FUNCTION public.reach()"
    )


@PLACES
def test_a_rule_that_matches_by_number_alone(paying: Lab, place: Place) -> None:
    change = f"UPDATE public.invoices SET note = 'paid' WHERE {SAME}"
    rule(paying, "INSERT", change)

    report = paying.survey(ATTACK, place=place)

    assert by_whom(report) == {("acme", PAYMENTS, "write")}
    assert report.findings[0].because.endswith("another tenant's row in public.invoices")
    rule(paying, "INSERT", f"{change} AND {OURS}")
    assert paying.survey(ATTACK, place=place).cells == {(PAYMENTS, "write"): "held"}


@PLACES
def test_a_definer_trigger_that_matches_by_number_alone(paying: Lab, place: Place) -> None:
    change = f"UPDATE public.invoices SET note = 'paid' WHERE {SAME}"
    trigger(paying, "INSERT OR UPDATE", change)

    report = paying.survey(ATTACK, place=place)

    assert by_whom(report) == {("acme", PAYMENTS, "write")}
    trigger(paying, "INSERT OR UPDATE", f"{change} AND {OURS}")
    assert paying.survey(ATTACK, place=place).cells == {(PAYMENTS, "write"): "held"}


def test_a_trigger_that_deletes(paying: Lab) -> None:
    change = "DELETE FROM public.invoices WHERE number = OLD.number"
    trigger(paying, "DELETE", change, "OLD")

    assert by_whom(paying.survey(ATTACK)) == {("acme", PAYMENTS, "destroy")}

    trigger(paying, "DELETE", f"{change} AND tenant = OLD.tenant", "OLD")
    assert paying.survey(ATTACK).cells == {(PAYMENTS, "write"): "held"}


def test_statements_that_are_put_together_at_run_time(paying: Lab) -> None:
    trigger(paying, "INSERT", "EXECUTE 'UPDATE public.' || 'invoices SET quantity = 0'")

    assert by_whom(paying.survey(ATTACK)) == {("acme", PAYMENTS, "write")}

    paying.database.execute("ALTER FUNCTION public.reach() SECURITY INVOKER")
    assert paying.survey(ATTACK).cells == {(PAYMENTS, "write"): "held"}


def test_a_trigger_of_a_table_that_is_nobodys(paying: Lab) -> None:
    paying.database.execute(
        "CREATE TABLE public.signals (number text); GRANT INSERT ON public.signals TO lab_app;"
        "CREATE FUNCTION public.heed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS "
        "$$ BEGIN UPDATE public.invoices SET quantity = 0 WHERE number = NEW.number;"
        "RETURN NEW; END $$;"
        "CREATE TRIGGER heed AFTER INSERT ON public.signals "
        "FOR EACH ROW EXECUTE FUNCTION public.heed()"
    )

    assert by_whom(paying.survey(ATTACK)) == {("acme", "public.signals", "write")}


def test_tables_without_triggers_are_left_to_the_other_attacks(paying: Lab) -> None:
    assert paying.survey(ATTACK).attempts == 0
