"""Nothing that a tenant's session reaches is passed over in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.surveys import WALLED, quiet

if TYPE_CHECKING:
    from tests.survey.surveys import Survey

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)

NOT_COVERED = """
CREATE TABLE inbox (id bigserial, body text);
GRANT INSERT ON inbox TO app;
CREATE TABLE outbox (body text);
GRANT INSERT ON outbox TO app;
CREATE SEQUENCE numbers;
GRANT USAGE ON SEQUENCE numbers TO app;
CREATE FUNCTION any_of(anyenum) RETURNS text LANGUAGE sql AS 'SELECT $1::text';
CREATE FUNCTION last(text, float8) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE AGGREGATE ordered(float8 ORDER BY text)
    (sfunc = textcat, stype = text, initcond = '', finalfunc = last);
"""
NOTHING_TO_REACH = """
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE DOMAIN address AS text CHECK (VALUE LIKE '%@%');
CREATE TABLE closed (body text);
CREATE SEQUENCE nobodys;
CREATE SCHEMA apart;
CREATE FUNCTION apart.tell() RETURNS text LANGUAGE sql AS 'SELECT 1::text';
CREATE FUNCTION mine() RETURNS text LANGUAGE sql AS 'SELECT 1::text';
REVOKE EXECUTE ON FUNCTION mine() FROM PUBLIC;
CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION enter(org text) RETURNS text LANGUAGE sql
    AS $$ SELECT set_config('app.org', org, true) $$;
CREATE AGGREGATE glued(text) (sfunc = textcat, stype = text, initcond = '');
CREATE EXTENSION citext;
"""


def test_what_no_attack_covers_is_undecided(survey: Survey) -> None:
    survey.database.execute(WALLED + NOT_COVERED)

    report = survey(attacker="query", shared=("public.outbox",))

    assert {(one.at, one.effect, one.code) for one in report.undecided} == {
        ("public.inbox", "write", "PW299"),
        ("public.numbers", "detect", "PW299"),
        ("public.any_of(anyenum)", "read", "PW299"),
        ("public.ordered(double precision ORDER BY text)", "read", "PW211"),
    }
    assert report.verdict == "undecided"
    assert report.cells["public.inbox", "write"] == "undecided"
    assert all("no attack covers it" in o.because for o in report.undecided if o.code == "PW299")


NO_ROW = """
CREATE TABLE nightly (org int NOT NULL, total int CHECK (total > 5 AND total < 3) NOT NULL);
GRANT SELECT (total) ON nightly TO app;
"""


def test_a_table_without_a_row_is_undecided_though_only_a_column_is_granted(
    survey: Survey,
) -> None:
    survey.database.execute(WALLED + NO_ROW)
    report = survey("read-rows")
    [doubt] = report.undecided
    assert doubt.at == "public.nightly"
    assert report.cells["public.nightly", "read"] == "undecided"
    assert "no row could be planted" in doubt.because


def test_what_nobody_reaches_or_what_holds_nothing_is_left_alone(survey: Survey) -> None:
    survey.database.execute(WALLED + NOTHING_TO_REACH)

    report = survey(attacker="query", enter="SELECT enter('{id}')")

    assert report.undecided == ()
    assert quiet(report)


def test_attacks_that_were_not_asked_for_leave_nothing_undecided(survey: Survey) -> None:
    survey.database.execute(WALLED + "CREATE SEQUENCE numbers; GRANT USAGE ON numbers TO app")

    assert survey("read-rows").undecided == ()
