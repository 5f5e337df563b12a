"""How the examples on the pages of attacks on jobs are run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from partywall.servers import redis
from partywall.survey.jobs.surveying import survey
from tests.control.temporal import temporal_server
from tests.survey.cache.servers import address, executed, sound
from tests.survey.jobs.engines import TENANTS, dbos
from tests.survey.jobs.gates import gated, open_to_all
from tests.survey.jobs.test_queues import settings
from tests.survey.jobs.test_through import SOUND, report

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from partywall.survey.explaining.pages import Example
    from partywall.survey.layers import LayerReport
    from tests.conftest import Database

EVERY = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA dbos TO acme, globex"


def of_jobs(example: Example, database: Database, folder: Path) -> Collection[str]:
    """Rights to DBOS's tables, to Celery's keys; a Temporal; a line of an application."""
    first, _, _ = example.text.partition("\n")
    word = first.split()[0]
    if word in {"GRANT", "REVOKE"}:
        found = of_tables(database, example.text)
    elif word == "ACL":
        with redis() as running:
            sound(running.url())
            executed(address(running.url(), "admin"), example.text)
            found = survey(settings(running.url()))
    elif "server" in first:
        with temporal_server(folder) as there:
            found = of_server(there, folder, certified="certificate" in first)
    else:
        worker = word == "current"
        lookup, entered = SOUND["job-by-id"], SOUND["left-in-worker"]
        found = report(lookup if worker else first, first if worker else entered)
    assert found.findings or found.verdict == "held", found.undecided
    return {one.name for one in found.findings if one.attacker == "acme"}


def of_tables(database: Database, statement: str) -> LayerReport:
    """DBOS's tables without row security: rights alone keep tenants apart."""
    made = dbos(database)
    for (table,) in database.rows("SELECT relname FROM pg_class WHERE relrowsecurity"):
        database.execute(f"ALTER TABLE dbos.{table} DISABLE ROW LEVEL SECURITY")
    if statement.startswith("GRANT"):
        database.execute("REVOKE ALL ON ALL TABLES IN SCHEMA dbos FROM acme, globex")
    else:
        database.execute(EVERY)
    database.execute(statement)
    named = {n: replace(made.tenants[n], row={"workflow_uuid": f"{n}-{{run}}"}) for n in TENANTS}
    return survey(replace(made, tenants=named))


def of_server(there: str, folder: Path, *, certified: bool) -> LayerReport:
    """A Temporal server as it is, or with a gate for each tenant."""
    if not certified:
        return survey(open_to_all(there))
    with gated(there, folder) as behind:
        return survey(behind)
