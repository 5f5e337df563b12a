"""`--on target --read-only`: rows that exist are read, none is written, nothing real is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from partywall.reports.json import report as document
from partywall.reports.json import written
from partywall.survey.audit import audit
from partywall.survey.configuration import Configuration, TenantSettings
from tests.survey.attacks.lab import APPLICATION, breaches

if TYPE_CHECKING:
    from partywall.survey.verdict import Report
    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
SECRET = "the price of the other shop"
ROWS = f"""
CREATE TABLE public.tasks (tenant int NOT NULL, id bigserial, title text, PRIMARY KEY (tenant, id));
ALTER TABLE public.tasks OWNER TO lab_owner;
ALTER TABLE public.tasks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON public.tasks USING (tenant = current_setting('lab.tenant', true)::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.tasks TO lab_app;
GRANT ALL ON SEQUENCE public.tasks_id_seq TO lab_app;
INSERT INTO public.tasks (tenant, title)
  VALUES (101, 'a task of the first shop'), (202, '{SECRET}');
UPDATE public.invoices SET note = '{SECRET}' WHERE tenant = 202;
"""
STATE = """
SELECT (SELECT array_agg((xmin, xmax, ctid, i.*)::text ORDER BY id) FROM public.invoices i),
       (SELECT array_agg((xmin, xmax, ctid, t.*)::text ORDER BY id) FROM public.tasks t),
       (SELECT (last_value, is_called)::text FROM public.tasks_id_seq),
       (SELECT count(*) FROM pg_class)
"""


@pytest.fixture
def shop(database: Database) -> Database:
    """Rows of two tenants that were there before, behind a wall."""
    database.execute(APPLICATION + ROWS)
    return database


def survey(database: Database, *only: str) -> Report:
    """Survey it by an attacker who may do all, without writing."""
    tenants = tuple(
        TenantSettings(
            name, number, database.url("lab_app"),
            (f"SELECT set_config('lab.tenant', '{number}', true)",),
        )
        for name, number in (("acme", "101"), ("globex", "202"))
    )  # fmt: skip
    configuration = Configuration(database.url(), "context", tenants)
    return audit(configuration, place="target", read_only=True, only=frozenset(only) or None)


def test_a_sound_database_stays_undecided_and_untouched(shop: Database) -> None:
    before = shop.rows(STATE)

    report = survey(shop)

    assert shop.rows(STATE) == before
    assert not report.findings
    assert report.verdict == "undecided"
    [remark] = [one for one in report.undecided if one.at == "database"]
    assert remark.because.endswith(
        "attempts need to write, if only to put rows there to look for: none of them was made "
        "with --read-only; survey a copy (--on copy) to decide them"
    )
    assert report.cells["public.invoices", "read"] == "held"
    assert report.controls["proved"] > 0


def test_a_plain_leak_is_found_on_rows_that_exist(shop: Database) -> None:
    shop.execute("ALTER TABLE public.invoices DISABLE ROW LEVEL SECURITY")
    before = shop.rows(STATE)

    report = survey(shop)

    assert shop.rows(STATE) == before
    assert report.verdict == "breached"
    assert ("public.invoices", "read") in breaches(report)
    assert not {at for at, _ in breaches(report)} & {"public.tasks"}


def test_nothing_real_is_shown(shop: Database) -> None:
    shop.execute(
        "ALTER TABLE public.invoices DISABLE ROW LEVEL SECURITY;"
        "ALTER TABLE public.tasks DISABLE ROW LEVEL SECURITY"
    )

    report = survey(shop)
    text = written(document(report))

    assert breaches(report) >= {("public.invoices", "read"), ("public.tasks", "read")}
    assert "‹not shown›" in text
    for real in (SECRET, "B-number", "B-note", "A-number", "a task of the first shop"):
        assert real not in text


def test_nothing_real_stands_in_a_statement_either(shop: Database) -> None:
    shop.execute(  # without a key all its columns tell a row from another
        "CREATE TABLE public.memos (tenant int, memo text);"
        "GRANT SELECT ON public.memos TO lab_app;"
        f"INSERT INTO public.memos VALUES (101, 'a memo of the first shop'), (202, '{SECRET}')"
    )

    report = survey(shop, "read-rows")

    assert breaches(report) == {("public.memos", "read")}
    assert SECRET not in written(document(report))


def test_a_table_without_a_row_of_the_other_tenant_is_undecided(shop: Database) -> None:
    shop.execute(
        "DELETE FROM public.tasks WHERE tenant = 202; ALTER TABLE public.tasks "
        "DISABLE ROW LEVEL SECURITY"
    )

    report = survey(shop, "read-rows")

    [undecided] = [one for one in report.undecided if one.at == "public.tasks"]
    assert "no row of globex exists, and --read-only plants none" in undecided.because
    assert report.cells["public.invoices", "read"] == "held"
