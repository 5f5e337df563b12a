"""What `SchemaPerTenant` creates, surveyed as an attacker with any SQL would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from partywall import SchemaPerTenant, TenantContext
from partywall.survey.attack import Level
from tests.survey.surveys import Survey

if TYPE_CHECKING:
    from partywall.survey.verdict import Report
    from tests.conftest import Database

ACME, GLOBEX = TenantContext("acme"), TenantContext("globex")
TABLES = """
CREATE TABLE {schema}.users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text UNIQUE);
CREATE TABLE {schema}.orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    by_user uuid REFERENCES {schema}.users ON DELETE CASCADE, memo text NOT NULL
);
CREATE VIEW {schema}.open_orders WITH (security_invoker) AS SELECT id, memo FROM {schema}.orders;
"""


def housed(database: Database, model: SchemaPerTenant) -> None:
    """Two tenants as the model provisions them, each with the same tables."""
    database.execute("CREATE ROLE app LOGIN")
    for context in (ACME, GLOBEX):
        for statement in model.provision(context.tenant_id, "app"):
            database.execute(statement)
        database.execute(TABLES.format(schema=f'"{model.schema(context.tenant_id)}"'))


def surveyed(database: Database, model: SchemaPerTenant, attacker: Level) -> Report:
    """The survey's report, with the statements that the runtime itself would send."""
    schemas = (model.schema(ACME.tenant_id), model.schema(GLOBEX.tenant_id))
    enter = "; ".join(model.enter(ACME)).replace(schemas[0], "{id}")
    return Survey(database)(attacker=attacker, ids=schemas, enter=enter)


@pytest.mark.parametrize("attacker", ["query", "sql"])
def test_a_role_for_each_tenant_holds_also_against_injected_sql(
    database: Database, attacker: Level
) -> None:
    model = SchemaPerTenant(roles=True)
    housed(database, model)
    report = surveyed(database, model, attacker)
    assert [(f.name, f.at, f.because) for f in report.findings] == []
    assert [(u.at, u.because) for u in report.undecided] == []


def test_one_login_for_all_schemas_holds_against_the_application_s_own_queries(
    database: Database,
) -> None:
    model = SchemaPerTenant()
    housed(database, model)
    report = surveyed(database, model, "query")
    assert [(f.name, f.at, f.because) for f in report.findings] == []
    assert [(u.at, u.because) for u in report.undecided] == []


def test_one_login_for_all_schemas_is_no_wall_against_injected_sql(database: Database) -> None:
    model = SchemaPerTenant()
    housed(database, model)
    found = {(f.effect, f.at) for f in surveyed(database, model, "sql").findings}
    assert ("read", f"{model.schema(GLOBEX.tenant_id)}.users") in found
