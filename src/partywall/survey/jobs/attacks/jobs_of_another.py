"""PW701: another tenant's jobs are read from the engine's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.jobs.on_tables import attempts
from partywall.survey.trying import attack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.jobs.on_tables import TableScene
    from partywall.survey.jobs.tables import Job, Sql
    from partywall.survey.trying import Attempt


@attack(
    "PW701",
    effect="read",
    fix="put row security on the engine's tables, by the column that says whose a job is, or give "
    "each tenant a schema of the engine's own",
)
def jobs_of_another(scene: TableScene) -> Iterator[Attempt[Sql]]:
    """Read another tenant's job in every table of the engine that holds something of it.

    Arguments, results, errors, events and messages of jobs are copies of what the application's own
    tables hold, and often stand where its row security does not reach.

    Affected:
        Whoever lets tenants' code reach the engine's tables by a login, of DBOS or Procrastinate,
        or keeps tenants apart there by row security.

    Breaches:
        GRANT SELECT ON ALL TABLES IN SCHEMA dbos TO acme

    Holds:
        REVOKE SELECT ON ALL TABLES IN SCHEMA dbos FROM acme

    Source:
        https://www.postgresql.org/docs/current/ddl-rowsecurity.html
    """

    def statement(job: Job, table: str) -> str:
        return f"SELECT * FROM {job.table(table)} WHERE {job.where(table)}"

    yield from attempts(
        scene, statement, "SELECT", "another tenant's job was read from the engine's table"
    )
