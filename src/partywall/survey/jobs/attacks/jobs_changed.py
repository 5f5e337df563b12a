"""PW702: another tenant's job is changed or stopped in the engine's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.jobs.on_tables import attempts
from partywall.survey.jobs.tables import quoted
from partywall.survey.sql import literal
from partywall.survey.trying import attack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.jobs.on_tables import TableScene
    from partywall.survey.jobs.tables import Job, Sql
    from partywall.survey.trying import Attempt


@attack(
    "PW702",
    effect="write",
    fix="put row security on the engine's tables, by the column that says whose a job is, or give "
    "each tenant a schema of the engine's own",
)
def jobs_changed(scene: TableScene) -> Iterator[Attempt[Sql]]:
    """Change another tenant's job, and so stop it, in every table of the engine.

    A job's state, arguments and result are what its worker, and whoever waits for it, go by.

    Affected:
        Whoever lets tenants' code reach the engine's tables by a login, of DBOS or Procrastinate,
        or keeps tenants apart there by row security.

    Breaches:
        GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA dbos TO acme

    Holds:
        REVOKE UPDATE ON ALL TABLES IN SCHEMA dbos FROM acme

    Source:
        https://www.postgresql.org/docs/current/ddl-rowsecurity.html
    """

    def statement(job: Job, table: str) -> str:
        change = f"{quoted(job.forms[table])} = {quoted(job.forms[table])}"
        if table == job.shape.main:
            change = f"status = {literal(job.shape.cancelled)}"
        return f"UPDATE {job.table(table)} SET {change} WHERE {job.where(table)}"

    yield from attempts(
        scene, statement, "UPDATE", "another tenant's job was changed in the engine's table"
    )
