"""What becomes of a check's hits: a finding, advice, or nothing for a weaker attacker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from partywall.survey.check import answers
from partywall.survey.checks import every_check
from partywall.survey.checks.default_privileges import default_privileges
from partywall.survey.checks.server_version import server_version
from partywall.survey.checks.unforced_owner import unforced_owner
from tests.survey.checks.shop import SHOP, scene
from tests.survey.surveys import ONE_LOGIN, TWO_LOGINS, WALLED, quiet

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.survey.surveys import Survey

PARTED = """
CREATE TABLE log (tenant text NOT NULL) PARTITION BY LIST (tenant);
ALTER TABLE log ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON log USING (tenant = (SELECT current_setting('app.tenant', true)));
"""


def test_a_door_is_a_finding_and_hygiene_is_advice(database: Database) -> None:
    database.execute(
        SHOP + "ALTER TABLE invoice NO FORCE ROW LEVEL SECURITY;"
        "ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT SELECT ON TABLES TO app"
    )
    findings, advice = answers(scene(database), [default_privileges, unforced_owner])
    assert [(f.code, f.layer, f.effect) for f in findings] == [("PW101", "catalog", "latent")]
    assert [(a.code, a.at) for a in advice] == [("PW124", "public.invoice")]


def test_the_fix_of_a_door_closes_it(database: Database) -> None:
    database.execute(
        SHOP
        + "ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA public GRANT ALL ON TABLES TO app"
    )
    findings, _ = answers(scene(database), [default_privileges])
    database.execute(findings[0].fix)
    assert answers(scene(database), [default_privileges]) == ((), ())


def test_an_event_trigger_that_walls_new_tables_in_closes_it_too(database: Database) -> None:
    database.execute(
        SHOP + "ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT ALL ON TABLES TO app;"
        "CREATE FUNCTION wall() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
        " EXECUTE 'ALTER TABLE x ENABLE ROW LEVEL SECURITY'; END $$;"
        "CREATE EVENT TRIGGER wall ON ddl_command_end WHEN TAG IN ('CREATE TABLE')"
        " EXECUTE FUNCTION wall()"
    )
    assert answers(scene(database), [default_privileges]) == ((), ())


@pytest.mark.parametrize(
    ("version", "with_partitions", "findings"),
    [(150013, True, 1), (150013, False, 0), (150014, True, 0), (180000, True, 0)],
)
def test_a_known_hole_is_a_door_where_the_database_uses_it(
    database: Database, version: int, findings: int, *, with_partitions: bool
) -> None:
    database.execute(SHOP + (PARTED if with_partitions else ""))
    found, advice = answers(scene(database, version=version), [server_version])
    assert len(found) == findings
    assert len(found) + len(advice) == (1 if version == 150013 else 0)


def test_a_door_of_the_sql_attacker_is_none_for_ordinary_queries(database: Database) -> None:
    database.execute(SHOP + PARTED)
    found, _ = answers(scene(database, version=150013, attacker="query"), [server_version])
    assert found == ()


@pytest.mark.parametrize(
    ("version", "holes"),
    [
        (110002, 6), (120014, 4), (140007, 5), (150002, 6), (150003, 4), (150008, 2), (160002, 3),
        (170000, 2), (170006, 0),
    ],
)  # fmt: skip
def test_first_fixed_minors(database: Database, version: int, holes: int) -> None:
    database.execute(SHOP)
    found, advice = answers(scene(database, version=version), [server_version])
    names = sorted([*(one.because for one in found), *(one.because for one in advice)])
    assert len(names) == holes, names


WAYS = {"ids": ("one", "two"), "enter": "SET search_path = {id}", "attacker": "query"}


def test_default_privileges_across_schemas(database: Database, survey: Survey) -> None:
    logins = ("app_one", "app_two")
    across = "ALTER DEFAULT PRIVILEGES IN SCHEMA two GRANT SELECT ON TABLES TO app_one;"
    database.execute(TWO_LOGINS + across)
    quiet_ways = WAYS | {"logins": logins}
    assert quiet(survey("default-privileges", **quiet_ways))  # type: ignore[arg-type]
    database.execute("GRANT USAGE ON SCHEMA two TO app_one")
    report = survey("default-privileges", **quiet_ways)  # type: ignore[arg-type]
    assert {f.effect for f in report.findings} == {"latent"}


def test_a_tenants_schema_as_default_of_a_shared_login(database: Database, survey: Survey) -> None:
    database.execute(ONE_LOGIN + "ALTER ROLE app SET search_path = two")
    report = survey("lodged-tenant", **WAYS)  # type: ignore[arg-type]
    assert [f.at for f in report.findings] == ["role app"]


def test_advice_never_makes_a_breach(database: Database, survey: Survey) -> None:
    database.execute(WALLED + "ALTER TABLE notes NO FORCE ROW LEVEL SECURITY")
    report = survey("unforced-owner", "read-rows")
    assert report.verdict == "held"
    assert [a.code for a in report.advice] == ["PW124"]


def test_every_check_is_asked_by_the_audit(database: Database, survey: Survey) -> None:
    database.execute(WALLED + "ALTER TABLE notes NO FORCE ROW LEVEL SECURITY")
    assert {a.name for a in survey().advice} <= {check.name for check in every_check()}
    assert "unforced-owner" in {a.name for a in survey().advice}


def test_on_a_target_the_missing_setting_is_read_from_the_policy(
    database: Database, survey: Survey
) -> None:
    database.execute(
        WALLED + "DROP POLICY own ON notes; CREATE POLICY own ON notes USING ("
        "current_setting('app.org', true) IS NULL OR org = current_setting('app.org', true)::int)"
    )
    report = survey("fail-open", place="target", attacker="query")
    assert {(f.code, f.effect) for f in report.findings} == {("PW103", "read")}
    assert quiet(survey("fail-open", attacker="query"))
    assert "read" in {f.effect for f in survey("read-rows", attacker="query").findings}
