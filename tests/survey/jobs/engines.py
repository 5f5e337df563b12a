"""Real engines with two tenants, sound until an example changes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import procrastinate
from dbos import run_dbos_database_migrations

from partywall.survey.jobs.settings import Engine, JobsLogin, JobsSettings

if TYPE_CHECKING:
    from tests.conftest import Database

TENANTS = ("acme", "globex")
POLICY = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON {table} USING ({condition});
GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO acme, globex;
"""
OF_DBOS = "split_part({column}, '-', 1) = current_user"
OF_PROCRASTINATE = {
    "procrastinate_jobs": "queue_name = current_user",
    "procrastinate_events": "job_id IN (SELECT id FROM procrastinate_jobs)",
    "procrastinate_periodic_defers": "job_id IN (SELECT id FROM procrastinate_jobs)",
}


def dbos(database: Database) -> JobsSettings:
    """DBOS's own tables; an id begins with its tenant's name."""
    url = database.url()
    run_dbos_database_migrations(url)
    database.execute("CREATE ROLE acme LOGIN; CREATE ROLE globex LOGIN")
    database.execute("GRANT USAGE ON SCHEMA dbos TO acme, globex")
    pointing = database.rows(
        "SELECT c.table_name, min(c.column_name) FROM information_schema.columns c "
        "JOIN information_schema.tables t USING (table_schema, table_name) "
        "WHERE c.table_schema = 'dbos' AND t.table_type = 'BASE TABLE' "
        "AND c.column_name IN ('workflow_uuid', 'destination_uuid') GROUP BY 1"
    )
    for table, column in pointing:
        condition = OF_DBOS.format(column=column)
        database.execute(POLICY.format(table=f"dbos.{table}", condition=condition))
    return settings(database, "dbos", "dbos")


def procrastinates(database: Database) -> JobsSettings:
    """Procrastinate's own tables; a queue is a tenant."""
    schema = Path(procrastinate.__file__).with_name("sql") / "schema.sql"
    database.execute(schema.read_text())
    database.execute("CREATE ROLE acme LOGIN; CREATE ROLE globex LOGIN")
    for table, condition in OF_PROCRASTINATE.items():
        database.execute(POLICY.format(table=table, condition=condition))
    database.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO acme, globex")
    made = settings(database, "procrastinate", "public")
    rows = {n: replace(one, row={"queue_name": n}) for n, one in made.tenants.items()}
    return replace(made, tenants=rows)


def settings(database: Database, engine: Engine, schema: str) -> JobsSettings:
    tenants = {name: JobsLogin(name, database.url(name), schema=schema) for name in TENANTS}
    return JobsSettings(engine, database.url(), tenants)


def kept(database: Database, schema: str) -> list[tuple[str, int]]:
    """How many rows stand in each table of the schema."""
    tables = database.rows(
        "SELECT table_name FROM information_schema.tables "
        f"WHERE table_schema = '{schema}' AND table_type = 'BASE TABLE' ORDER BY 1"
    )
    return [
        (name, database.rows(f'SELECT count(*) FROM {schema}."{name}"')[0][0]) for (name,) in tables
    ]
