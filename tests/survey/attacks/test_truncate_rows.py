"""PW245 truncate-rows, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.attacks.lab import said
from tests.survey.attacks.verdicts import by_whom, mend

if TYPE_CHECKING:
    from tests.survey.attacks.lab import Lab

ATTACK = "truncate-rows"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
TABLE = "public.invoices"
FOUND = {("acme", TABLE, "destroy")}


def test_truncate_until_it_is_revoked(lab: Lab) -> None:
    lab.database.execute(f"GRANT TRUNCATE ON {TABLE} TO lab_app")

    report = lab.survey(ATTACK)

    assert by_whom(report) == FOUND
    assert f"acme: TRUNCATE {TABLE} -> done" in said(report)
    mend(lab, report)
    assert lab.survey(ATTACK).attempts == 0


def test_on_the_target_the_server_is_only_asked(lab: Lab) -> None:
    lab.database.execute(f"GRANT TRUNCATE ON {TABLE} TO lab_app")

    report = lab.survey(ATTACK, place="target")

    assert by_whom(report) == FOUND
    assert said(report) == f"acme: SELECT has_table_privilege('{TABLE}', 'TRUNCATE') -> t"
    mend(lab, report)
    assert lab.survey(ATTACK, place="target").attempts == 0


def test_a_table_that_others_refer_to_goes_with_them(lab: Lab) -> None:
    lab.database.execute(
        "CREATE TABLE public.lines (tenant int, invoice bigint, "
        "FOREIGN KEY (tenant, invoice) REFERENCES public.invoices);"
        f"GRANT TRUNCATE ON {TABLE}, public.lines TO lab_app"
    )

    report = lab.survey(ATTACK)

    assert by_whom(report) == FOUND | {("acme", "public.lines", "destroy")}
    assert f"acme: TRUNCATE {TABLE} -> ERROR 0A000" in said(report)
    assert f"acme: TRUNCATE {TABLE} CASCADE -> done" in said(report)


def test_a_trigger_that_refuses_it(lab: Lab) -> None:
    lab.database.execute(
        f"GRANT TRUNCATE ON {TABLE} TO lab_app;"
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'never'; END $$;"
        f"CREATE TRIGGER refuse BEFORE TRUNCATE ON {TABLE} EXECUTE FUNCTION public.refuse()"
    )

    report = lab.survey(ATTACK)

    assert report.verdict == "held"
    assert report.cells == {(TABLE, "destroy"): "held"}


def test_an_owner_takes_sql_of_its_own(lab: Lab) -> None:
    lab.database.execute(f"ALTER TABLE {TABLE} OWNER TO lab_app")

    assert lab.survey(ATTACK).attempts == 0
    assert by_whom(lab.survey(ATTACK, attacker="sql")) == FOUND
