"""What `DatabasePerTenant` creates, surveyed as an attacker with any SQL would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from partywall.isolation import DatabasePerTenant
from partywall.survey.attack import Level
from tests.runtime.provisioned import carried_out
from tests.survey.surveys import Survey

if TYPE_CHECKING:
    from partywall.survey.verdict import Report
    from tests.conftest import Database

TABLES = b"""
CREATE TABLE users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text UNIQUE);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    by_user uuid REFERENCES users ON DELETE CASCADE, memo text NOT NULL
);
CREATE VIEW open_orders WITH (security_invoker) AS SELECT id, memo FROM orders;
"""


def surveyed(database: Database, model: DatabasePerTenant, attacker: Level) -> Report:
    """The report on two tenants, each with the same tables in its database."""
    server = database.server
    database.execute("CREATE ROLE app LOGIN")
    names = (model.database("acme"), model.database("globex"))
    for tenant, name in zip(("acme", "globex"), names, strict=True):
        carried_out(server, model.provision(tenant, "app"))
        with psycopg.connect(server.url(name), autocommit=True) as connection:
            connection.execute(TABLES)
    return Survey(database)(
        attacker=attacker,
        ids=names,
        databases=names,
        logins=names if model.logins else ("app", "app"),
        enter="",
    )


@pytest.mark.parametrize("attacker", ["query", "sql"])
def test_a_login_for_each_tenant_holds_also_against_injected_sql(
    database: Database, attacker: Level
) -> None:
    report = surveyed(database, DatabasePerTenant(logins=True), attacker)
    assert [(f.name, f.at, f.because) for f in report.findings] == []
    assert [(u.at, u.because) for u in report.undecided] == []


def test_one_login_for_all_databases_holds_against_the_applications_own_queries(
    database: Database,
) -> None:
    report = surveyed(database, DatabasePerTenant(), "query")
    assert [(f.name, f.at, f.because) for f in report.findings] == []
    assert [(u.at, u.because) for u in report.undecided] == []


def test_one_login_for_all_databases_lets_injected_sql_watch_the_others(database: Database) -> None:
    report = surveyed(database, DatabasePerTenant(), "sql")
    assert {(f.name, f.at) for f in report.findings} == {
        ("watch-activity", "pg_catalog.pg_stat_activity")
    }
