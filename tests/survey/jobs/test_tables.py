"""Engines' tables in a real PostgreSQL: DBOS's and Procrastinate's own, sound and broken."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from partywall.errors import ConfigurationError, TargetError
from partywall.survey.jobs.attacks import TABLES, named
from partywall.survey.jobs.sql_hand import SqlHand
from partywall.survey.jobs.surveying import survey
from partywall.survey.layers import Watch
from tests.survey.jobs.engines import dbos, kept, procrastinates

if TYPE_CHECKING:
    from partywall.survey.jobs.tables import Sql
    from partywall.survey.layers import Tried
    from partywall.survey.trying import Outcome
    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
ENGINES = {"dbos": dbos, "procrastinate": procrastinates}
ATTACKS = {one.name: one for one in named(TABLES)}
OPENED = {
    "dbos": "ALTER TABLE dbos.workflow_status DISABLE ROW LEVEL SECURITY",
    "procrastinate": "ALTER TABLE procrastinate_jobs DISABLE ROW LEVEL SECURITY",
}


@pytest.mark.parametrize("engine", ENGINES)
def test_sound_tables_hold_by_proof_and_nothing_is_left(database: Database, engine: str) -> None:
    made = ENGINES[engine](database)
    before = kept(database, made.tenants["acme"].schema)
    report = survey(made)
    assert (report.findings, report.undecided) == ((), ())
    assert report.verdict == "held"
    assert report.controls["failed"] == 0
    assert kept(database, made.tenants["acme"].schema) == before


@pytest.mark.parametrize("engine", ENGINES)
def test_a_table_without_row_security_is_read_and_changed(database: Database, engine: str) -> None:
    made = ENGINES[engine](database)
    database.execute(OPENED[engine])
    before = kept(database, made.tenants["acme"].schema)
    report = survey(made)
    main = {one.name for one in report.findings if one.at.endswith(("_status", "_jobs"))}
    wanted = set(ATTACKS) - {"jobs-forged" if engine == "dbos" else "jobs-removed"}
    assert main == wanted
    assert all("pw" in one.witness[0].returned for one in report.findings
               if one.name == "jobs-of-another" and one.at.endswith("_status"))  # fmt: skip
    assert kept(database, made.tenants["acme"].schema) == before


def test_one_login_for_all_is_attacked_only_by_who_has_got_hold_of_it(database: Database) -> None:
    made = dbos(database)
    database.execute("ALTER ROLE acme BYPASSRLS")
    alike = {name: replace(one, url=database.url("acme")) for name, one in made.tenants.items()}
    application = survey(replace(made, tenants=alike))
    assert application.findings == ()
    assert application.verdict == "undecided"
    assert "by one login" in application.left[0]
    assert survey(replace(made, tenants=alike, attacker="sql")).verdict == "breached"


def test_a_tenant_is_entered_as_its_code_enters_it(database: Database) -> None:
    made = dbos(database)
    database.execute("CREATE ROLE app LOGIN; GRANT acme, globex TO app")
    entered = {name: replace(one, url=database.url("app"), enter=(f"SET LOCAL ROLE {name}",))
               for name, one in made.tenants.items()}  # fmt: skip
    assert survey(replace(made, tenants=entered)).verdict == "held"


def test_a_tenant_that_can_not_be_entered_is_an_error_and_no_wall(database: Database) -> None:
    made = dbos(database)
    broken = replace(made.tenants["acme"], enter=("SELECT 1/0",))
    before = kept(database, "dbos")
    with pytest.raises(ConfigurationError, match=r"tenants.acme.jobs\] could not be entered"):
        survey(replace(made, tenants={**made.tenants, "acme": broken}))
    assert kept(database, "dbos") == before


def test_what_a_tenant_is_entered_by_is_in_no_report(database: Database) -> None:
    made = dbos(database)
    database.execute(OPENED["dbos"])
    secret = ("SELECT set_config('app.key', 'a-secret-of-it', true)",)
    entered = {name: replace(one, enter=secret) for name, one in made.tenants.items()}
    report = survey(replace(made, tenants=entered))
    assert report.findings
    assert "a-secret-of-it" not in repr(report)
    assert all("`enter`" in one.witness[0].sql for one in report.findings)


def test_a_job_is_removed_also_where_the_server_goes_away_meanwhile(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = dbos(database)
    before = kept(database, "dbos")
    asked = SqlHand.do

    def once(hand: SqlHand, who: str, call: Sql) -> Outcome:
        if (
            call.kept
            and "INSERT" in call.statements[0]
            and '"workflow_status"' not in (call.statements[0])
        ):
            raise TargetError("the server went away")
        return asked(hand, who, call)

    monkeypatch.setattr(SqlHand, "do", once)
    with pytest.raises(TargetError):
        survey(made)
    assert kept(database, "dbos") == before


def test_a_table_that_nobody_knows_is_undecided_where_a_tenant_reads_it(
    database: Database,
) -> None:
    made = dbos(database)
    database.execute(
        "CREATE TABLE dbos.novel AS SELECT 1 AS a; GRANT SELECT ON dbos.novel TO acme, globex"
    )
    report = survey(made)
    assert [(one.name, one.at) for one in report.undecided] == [
        ("jobs-table-untried", "jobs dbos.novel")
    ]


def test_an_interrupted_survey_leaves_no_job(database: Database) -> None:
    class Impatient(Watch):
        def judged(self, tried: Tried) -> None:
            raise KeyboardInterrupt(tried.at)

    made = procrastinates(database)
    before = kept(database, "public")
    with pytest.raises(KeyboardInterrupt):
        survey(made, Impatient())
    assert kept(database, "public") == before
