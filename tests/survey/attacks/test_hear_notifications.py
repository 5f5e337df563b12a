"""PW214 hear-notifications, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import PLACES, breaches, said

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from partywall.survey.verdict import Report
    from tests.survey.attacks.lab import Lab

ATTACK = "hear-notifications"
FOUND = {("public.invoices (tell)", "read")}
ROW = "PERFORM pg_notify('changes', to_json(coalesce(NEW, OLD))::text);"
ID = "PERFORM pg_notify('changes', (coalesce(NEW, OLD)).tenant::text);"


def survey(
    lab: Lab,
    body: str,
    events: str = "INSERT",
    *,
    place: Place = "copy",
    path: str = "SET search_path = pg_catalog, public, pg_temp",
) -> Report:
    lab.database.execute(
        f"CREATE FUNCTION public.tell() RETURNS trigger LANGUAGE plpgsql {path}"
        f" AS $$ BEGIN {body} RETURN NULL; END $$;"
        f"CREATE TRIGGER tell AFTER {events} ON public.invoices"
        " FOR EACH ROW EXECUTE FUNCTION public.tell()"
    )
    return lab.survey(ATTACK, attacker="sql", place=place)


@PLACES
@pytest.mark.parametrize("event", ["INSERT", "UPDATE", "DELETE"])
def test_a_row_sent_to_whoever_listens(lab: Lab, event: str, place: Place) -> None:
    report = survey(lab, ROW, event, place=place)

    assert breaches(report) == FOUND
    assert "pwb" in said(report)


@PLACES
def test_a_function_without_a_path_of_its_own(lab: Lab, place: Place) -> None:
    assert breaches(survey(lab, ROW, place=place, path="")) == FOUND


def test_a_channel_for_each_tenant_can_be_heard_too(lab: Lab) -> None:
    body = ROW.replace("'changes'", "'changes_' || NEW.tenant")

    assert breaches(survey(lab, body)) == FOUND


def test_a_statement_built_at_run_time(lab: Lab) -> None:
    body = "EXECUTE format('NOTIFY changes, %L', NEW.note);"

    assert breaches(survey(lab, body)) == FOUND


def test_what_can_not_be_overheard_on_a_target_is_undecided(lab: Lab) -> None:
    report = survey(lab, "EXECUTE format('NOTIFY changes, %L', NEW.note);", place="target")

    assert report.verdict == "undecided"
    assert "--on copy" in report.undecided[0].because


@PLACES
def test_an_id_alone_is_no_leak(lab: Lab, place: Place) -> None:
    report = survey(lab, ID, "INSERT OR UPDATE", place=place)

    assert report.verdict == "held"
    assert report.attempts == 1


def test_nothing_of_it_stays_behind(lab: Lab) -> None:
    survey(lab, ROW, place="target")

    assert lab.database.rows("SELECT count(*) FROM public.invoices") == [(2,)]
    assert not lab.database.rows("SELECT FROM pg_namespace WHERE nspname = 'partywall_ear'")
    [(settings,)] = lab.database.rows("SELECT proconfig FROM pg_proc WHERE proname = 'tell'")
    assert settings == ["search_path=pg_catalog, public, pg_temp"]


def test_triggers_that_notify_nobody_are_no_surface(lab: Lab) -> None:
    report = survey(lab, "PERFORM 1;")

    assert report.attempts == 0
