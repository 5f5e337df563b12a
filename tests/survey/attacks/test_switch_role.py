"""PW241 switch-role, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.surveys import WALLED, found, quiet

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.conftest import Database
    from tests.survey.surveys import Survey

EXPORTER = """
CREATE ROLE exporter NOLOGIN BYPASSRLS;
GRANT USAGE ON SCHEMA public TO exporter;
GRANT SELECT ON notes TO exporter;
"""

OWNER = """
CREATE ROLE exporter NOLOGIN;
GRANT USAGE ON SCHEMA public TO exporter;
ALTER TABLE notes OWNER TO exporter;
ALTER TABLE notes NO FORCE ROW LEVEL SECURITY;
ALTER ROLE app NOINHERIT;
GRANT exporter TO app;
"""


@pytest.mark.parametrize("place", ["copy", "target"])
@pytest.mark.parametrize(
    "leak",
    [
        EXPORTER + "ALTER ROLE app NOINHERIT; GRANT exporter TO app",
        "CREATE ROLE exporter NOLOGIN SUPERUSER; ALTER ROLE app NOINHERIT; GRANT exporter TO app",
        OWNER,
    ],
)
def test_a_role_that_reads_past_the_wall(
    database: Database, survey: Survey, leak: str, place: Place
) -> None:
    database.execute(WALLED + leak)
    report = survey("switch-role", place=place)
    assert found(report) == {("read", "role exporter")}
    assert report.findings[0].witness[0].sql == 'SET ROLE "exporter"'

    assert quiet(survey("switch-role", attacker="query"))
    database.execute(report.findings[0].fix)
    assert quiet(survey("switch-role", place=place))


def test_a_role_that_only_writes(database: Database, survey: Survey) -> None:
    database.execute(WALLED + EXPORTER + "ALTER ROLE app NOINHERIT; GRANT exporter TO app;")
    database.execute("REVOKE SELECT ON notes FROM exporter; GRANT INSERT ON notes TO exporter")
    assert found(survey("switch-role")) == {("write", "role exporter")}


def test_roles_that_are_behind_the_wall_too_are_none(database: Database, survey: Survey) -> None:
    database.execute(WALLED + EXPORTER + "CREATE ROLE reader NOLOGIN; GRANT reader TO app;")
    database.execute("GRANT SELECT ON notes TO reader; GRANT USAGE ON SCHEMA public TO reader")
    assert quiet(survey("switch-role"))


def test_taking_the_role_of_a_tenant_is_the_context_where_the_application_does_it(
    database: Database, survey: Survey
) -> None:
    database.execute(
        """
        CREATE ROLE red NOLOGIN; CREATE ROLE blue NOLOGIN;
        CREATE ROLE gateway LOGIN NOINHERIT IN ROLE red, blue;
        CREATE TABLE notes (tenant name PRIMARY KEY DEFAULT current_user, body text NOT NULL);
        ALTER TABLE notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY own ON notes USING (tenant = current_user);
        GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO red, blue;
        """
    )
    ways = {"logins": ("gateway", "gateway"), "ids": ("red", "blue"), "enter": "SET ROLE {id}"}
    assert quiet(survey("switch-role", **ways))  # type: ignore[arg-type]
    report = survey("switch-role", attacker="context", **ways)  # type: ignore[arg-type]
    assert found(report) == {("read", "role blue")}
