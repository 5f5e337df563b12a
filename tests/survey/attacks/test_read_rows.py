"""PW201 read-rows, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from partywall.survey.configuration import PublicRows
from tests.survey.attacks.lab import PLACES, breaches, proved, said
from tests.survey.attacks.verdicts import ANYONE, by_whom, mend

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.survey.attacks.lab import Lab

ATTACK = "read-rows"
pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
TABLE = "public.invoices"
TEXT = "tenant::text = current_setting('lab.tenant', true)"


def repolicy(lab: Lab, using: str) -> None:
    lab.database.execute(f"ALTER POLICY own ON {TABLE} USING ({using})")


@PLACES
def test_a_table_without_row_security_until_it_has_it(lab: Lab, place: Place) -> None:
    lab.database.execute(f"ALTER TABLE {TABLE} DISABLE ROW LEVEL SECURITY")

    report = lab.survey(ATTACK, place=place)

    assert by_whom(report) == {(who, TABLE, "read") for who in ANYONE}
    mend(lab, report)
    assert proved(lab.survey(ATTACK, place=place))


@PLACES
def test_the_application_as_it_should_be(lab: Lab, place: Place) -> None:
    report = lab.survey(ATTACK, place=place)

    assert proved(report)
    assert report.attempts == len(ANYONE)
    assert report.cells == {(TABLE, "read"): "held"}


@pytest.mark.parametrize(
    ("using", "who"),
    [
        ("current_setting('lab.tenant', true) IS NULL", {"anonymous"}),
        ("current_setting('lab.tenant', true) = ''", {"empty context"}),
        ("coalesce(current_setting('lab.tenant', true), '') = ''", {"anonymous", "empty context"}),
        ("current_setting('lab.tenant', true) = '101'", {"acme"}),
    ],
)
def test_a_policy_that_opens_in_one_context_alone(lab: Lab, using: str, who: set[str]) -> None:
    repolicy(lab, f"{using} OR {TEXT}")

    assert by_whom(lab.survey(ATTACK)) == {(one, TABLE, "read") for one in who}

    repolicy(lab, TEXT)
    assert proved(lab.survey(ATTACK))


def test_a_second_permissive_policy(lab: Lab) -> None:
    lab.database.execute(f"CREATE POLICY long ON {TABLE} FOR SELECT USING (length(note) >= 0)")

    report = lab.survey(ATTACK)

    assert ("acme", TABLE, "read") in by_whom(report)
    mend(lab, report)
    assert proved(lab.survey(ATTACK))


@pytest.mark.parametrize(
    ("leak", "fix"),
    [
        ("ALTER ROLE lab_app BYPASSRLS", 'ALTER ROLE "lab_app" NOBYPASSRLS'),
        (
            f"ALTER TABLE {TABLE} OWNER TO lab_app;ALTER TABLE {TABLE} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY",
        ),
        (
            f"GRANT lab_owner TO lab_app; ALTER TABLE {TABLE} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY",
        ),
    ],
    ids=["bypass", "owner", "member of the owner"],
)
def test_a_role_whom_row_security_does_not_bind(lab: Lab, leak: str, fix: str) -> None:
    lab.database.execute(leak)

    report = lab.survey(ATTACK)

    assert by_whom(report) == {(who, TABLE, "read") for who in ANYONE}
    assert {finding.fix for finding in report.findings} == {fix}
    mend(lab, report)
    assert proved(lab.survey(ATTACK))


@PLACES
def test_a_view_of_a_superuser_until_it_asks_as_the_invoker(lab: Lab, place: Place) -> None:
    lab.database.execute(
        f"CREATE VIEW public.numbers AS SELECT id, number FROM {TABLE};"
        "GRANT SELECT ON public.numbers TO lab_app"
    )

    report = lab.survey(ATTACK, place=place)

    assert by_whom(report) == {(who, "public.numbers", "read") for who in ANYONE}
    mend(lab, report)
    assert proved(lab.survey(ATTACK, place=place))


def test_a_materialized_view_holds_the_rows_of_all(lab: Lab) -> None:
    lab.database.execute(
        f"CREATE MATERIALIZED VIEW public.totals AS SELECT number, quantity FROM {TABLE};"
        "GRANT SELECT ON public.totals TO lab_app"
    )

    report = lab.survey(ATTACK)

    assert breaches(report) == {("public.totals", "read")}
    assert {finding.repair for finding in report.findings} == {()}
    assert "let a view of public.totals stand in front of it" in report.findings[0].fix


def test_a_partition_by_its_own_name(lab: Lab) -> None:
    lab.database.execute(
        "CREATE TABLE public.logs (tenant int NOT NULL, line text) PARTITION BY LIST (tenant);"
        "CREATE TABLE public.logs_rest PARTITION OF public.logs DEFAULT;"
        "ALTER TABLE public.logs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY own ON public.logs "
        "USING (tenant = (SELECT current_setting('lab.tenant', true)::int));"
        "GRANT SELECT, INSERT ON public.logs, public.logs_rest TO lab_app"
    )

    report = lab.survey(ATTACK)

    assert by_whom(report) == {(who, "public.logs_rest", "read") for who in ANYONE}
    lab.database.execute("REVOKE ALL ON public.logs_rest FROM lab_app")
    assert proved(lab.survey(ATTACK))


def test_columns_that_were_granted_alone(lab: Lab) -> None:
    lab.database.execute(
        f"ALTER TABLE {TABLE} DISABLE ROW LEVEL SECURITY;"
        f"REVOKE SELECT ON {TABLE} FROM lab_app; GRANT SELECT (tenant, note) ON {TABLE} TO lab_app"
    )

    report = lab.survey(ATTACK)

    assert breaches(report) == {(TABLE, "read")}
    assert "SELECT tenant, note FROM public.invoices" in said(report)


def test_rows_that_are_public_by_design(lab: Lab) -> None:
    lab.database.execute(f"CREATE POLICY big ON {TABLE} FOR SELECT USING (quantity >= 0)")
    declared = PublicRows(TABLE, "quantity >= 0")

    assert by_whom(lab.survey(ATTACK))
    report = lab.survey(ATTACK, public=(declared,))

    assert not report.findings


def test_each_tenant_has_a_login_and_one_of_them_reads_both(lab: Lab) -> None:
    lab.database.execute(
        "CREATE ROLE lab_one LOGIN; CREATE ROLE lab_two LOGIN;"
        "CREATE SCHEMA s101; CREATE SCHEMA s202; GRANT USAGE ON SCHEMA s101 TO lab_one;"
        "GRANT USAGE ON SCHEMA s202 TO lab_one, lab_two;"
        "CREATE TABLE s101.bills (id int PRIMARY KEY, note text NOT NULL);"
        "CREATE TABLE s202.bills (id int PRIMARY KEY, note text NOT NULL);"
        "GRANT SELECT ON s101.bills TO lab_one; GRANT SELECT ON s202.bills TO lab_one, lab_two"
    )
    logins = ("lab_one", "lab_two")
    path = "SELECT set_config('search_path', 's{}', false)"

    report = lab.survey(ATTACK, logins=logins, enter=path)

    assert ("acme", "s202.bills", "read") in by_whom(report)
    mend(lab, report)
    assert proved(lab.survey(ATTACK, logins=logins, enter=path))
