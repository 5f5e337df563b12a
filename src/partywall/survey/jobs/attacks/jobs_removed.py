"""PW703: another tenant's job is removed from the engine's tables."""

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
    "PW703",
    effect="destroy",
    fix="put row security on the engine's tables, by the column that says whose a job is, or give "
    "each tenant a schema of the engine's own",
)
def jobs_removed(scene: TableScene) -> Iterator[Attempt[Sql]]:
    """Remove another tenant's job from every table of the engine.

    A job that is gone is never done, and nobody is told.

    Affected:
        Whoever lets tenants' code reach the engine's tables by a login, of DBOS or Procrastinate,
        or keeps tenants apart there by row security.

    Breaches:
        GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA dbos TO acme

    Holds:
        REVOKE DELETE ON ALL TABLES IN SCHEMA dbos FROM acme

    Source:
        https://www.postgresql.org/docs/current/ddl-rowsecurity.html
    """

    def statement(job: Job, table: str) -> str:
        return f"DELETE FROM {job.table(table)} WHERE {job.where(table)}"

    yield from attempts(
        scene, statement, "DELETE", "another tenant's job was removed from the engine's table"
    )
