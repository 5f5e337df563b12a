"""PW248 shadow-definers, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.surveys import WALLED, found, quiet

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.conftest import Database
    from tests.survey.surveys import Survey

CONTEXT_VIEW = """
CREATE VIEW ctx WITH (security_invoker = true) AS
  SELECT current_setting('app.org', true)::int AS org;
CREATE FUNCTION my_notes() RETURNS SETOF notes LANGUAGE sql STABLE SECURITY DEFINER {settings} AS
$$ SELECT n.* FROM {schema}notes n JOIN {schema}ctx USING (org) $$;
"""
MEMBERS = """
CREATE TABLE members (member int, org int NOT NULL, PRIMARY KEY (member, org));
ALTER TABLE members OWNER TO keeper;
ALTER TABLE members ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON members USING (org = (SELECT current_setting('app.org', true)::int));
GRANT SELECT ON members TO app;
CREATE FUNCTION my_notes() RETURNS SETOF notes LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
RETURN QUERY SELECT n.* FROM notes n WHERE n.org IN
  (SELECT m.org FROM members m WHERE m.member = current_setting('app.member', true)::int); END $$;
"""
ENTER_MEMBER = "SELECT set_config('app.org', '{id}', true), set_config('app.member', '7{id}', true)"
SETTING = """
CREATE FUNCTION my_notes() RETURNS SETOF notes LANGUAGE sql STABLE SECURITY DEFINER AS
$$ SELECT * FROM public.notes WHERE org = current_setting('app.org', true)::int $$;
"""


@pytest.mark.parametrize("place", ["copy", "target"])
@pytest.mark.parametrize("settings", ["", "SET search_path = public"])
def test_a_temporary_table_answers_for_the_context(
    database: Database, survey: Survey, settings: str, place: Place
) -> None:
    database.execute(WALLED + CONTEXT_VIEW.format(settings=settings, schema=""))
    report = survey("shadow-definers", place=place)
    assert found(report) == {("read", "public.my_notes()")}
    assert "pg_temp.ctx" in report.findings[0].witness[0].sql
    assert quiet(survey("shadow-definers", attacker="query"))


def test_a_table_of_memberships_that_a_fills_itself(database: Database, survey: Survey) -> None:
    database.execute(WALLED + MEMBERS)
    assert ("read", "public.my_notes()") in found(survey("shadow-definers", enter=ENTER_MEMBER))


def test_current_setting_itself_where_a_may_create(database: Database, survey: Survey) -> None:
    database.execute(WALLED + SETTING)
    assert quiet(survey("shadow-definers"))
    database.execute("CREATE SCHEMA side AUTHORIZATION app")
    assert found(survey("shadow-definers")) == {("read", "public.my_notes()")}


@pytest.mark.parametrize(
    "sound",
    [
        CONTEXT_VIEW.format(settings="SET search_path = pg_catalog, public, pg_temp", schema=""),
        CONTEXT_VIEW.format(settings="", schema="public."),
        CONTEXT_VIEW.format(settings="", schema="")
        + "REVOKE EXECUTE ON FUNCTION my_notes FROM PUBLIC",
    ],
)
def test_held(database: Database, survey: Survey, sound: str) -> None:
    database.execute(WALLED + sound)
    assert quiet(survey("shadow-definers"))
