"""PW254 replicate-rows, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.survey.surveys import WALLED, found, quiet

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.conftest import Database
    from tests.survey.surveys import Survey

SERVER = """
CREATE EXTENSION postgres_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'elsewhere');
CREATE USER MAPPING FOR keeper SERVER far OPTIONS (user 'x', password 'secret');
"""


@pytest.mark.parametrize("place", ["copy", "target"])
def test_replication_reads_the_rows_of_all(
    database: Database, survey: Survey, place: Place
) -> None:
    database.execute(WALLED + "ALTER ROLE app REPLICATION")
    report = survey("replicate-rows", place=place)
    assert found(report) == {("read", "role app")}
    assert quiet(survey("replicate-rows", attacker="query"))
    database.execute(report.findings[0].fix)
    assert quiet(survey("replicate-rows", place=place))


@pytest.mark.parametrize("server", ["postgres18"], indirect=True)
def test_subscriptions_from_16(database: Database, survey: Survey) -> None:
    database.execute(WALLED + "GRANT pg_create_subscription TO app")
    assert found(survey("replicate-rows")) == {("write", "role pg_create_subscription")}


def test_passwords_of_user_mappings(database: Database, survey: Survey) -> None:
    database.execute(WALLED + SERVER)
    assert quiet(survey("replicate-rows"))
    database.execute("GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO app")
    database.execute("ALTER SERVER far OWNER TO app; DROP USER MAPPING FOR keeper SERVER far")
    database.execute("CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'x', password 's')")
    assert quiet(survey("replicate-rows"))
