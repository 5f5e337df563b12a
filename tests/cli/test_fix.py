"""`partywall fix` as a program: what it writes can be run, and what it applies has mended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema
import pytest

from partywall.reports.fix_json import schema
from tests.cli.harbour import partywall
from tests.survey.surveys import WALLED

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.conftest import Database

OPEN = (
    "CREATE POLICY anybody ON notes FOR INSERT WITH CHECK (true);"
    "CREATE VIEW list AS SELECT * FROM notes; GRANT SELECT ON list TO app;"
    "CREATE MATERIALIZED VIEW bodies AS SELECT body FROM notes; GRANT SELECT ON bodies TO app"
)


@pytest.fixture
def folder(database: Database, tmp_path: Path) -> Path:
    """Where a partywall.toml of the walled database is, with three leaks, one of them stubborn."""
    database.execute(WALLED + OPEN)
    tenants = "".join(
        f'[tenants.{name}]\nid = "{key}"\nurl = "{database.url("app")}"\n'
        f"enter = [\"SELECT set_config('app.org', '{key}', true)\"]\n"
        for name, key in (("acme", 1), ("globex", 2))
    )
    (tmp_path / "partywall.toml").write_text(f'[database]\nurl = "{database.url()}"\n{tenants}')
    return tmp_path


def fix(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return partywall("fix", *arguments, folder=folder)


def test_it_writes_a_migration_that_can_be_run(folder: Path, database: Database) -> None:
    done = fix(folder, "--output", "mend.sql")
    script = (folder / "mend.sql").read_text()

    assert (done.returncode, done.stdout) == (1, "")
    assert "partywall: breached; 2 statements in mend.sql" in done.stderr
    assert script.index("ALTER VIEW public.list") < script.index("CREATE POLICY partywall_wall")
    assert "-- PW201 read-rows at public.list: rows of another tenant came back" in script
    what_takes_a_person = script.partition("-- What takes a person:\n")[2]
    assert "-- PW201 read-rows at public.bodies: " in what_takes_a_person
    assert "public.list" not in what_takes_a_person
    assert database.rows("SELECT polname FROM pg_policy ORDER BY 1") == [("anybody",), ("own",)]

    database.execute(script)
    left = json.loads(fix(folder, "--format", "json").stdout)
    jsonschema.validate(left, schema(), cls=jsonschema.Draft202012Validator)
    assert left["statements"] == []
    assert {finding["at"] for finding in left["remaining"]} == {"public.bodies"}


def test_applied_it_says_what_is_gone_and_what_stays(folder: Path, database: Database) -> None:
    refused = fix(folder, "--apply")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "without a terminal to ask at, add --yes" in refused.stderr
    assert database.rows("SELECT polname FROM pg_policy ORDER BY 1") == [("anybody",), ("own",)]

    done = fix(folder, "--apply", "--yes")
    assert done.returncode == 1
    gone, _, stays = done.stdout.partition("\nstill there\n")
    assert "PW201 read-rows at public.list" in gone
    assert "PW221 insert-as-other at public.notes" in gone
    assert "public.bodies" in stays
    assert "public.list" not in stays


def test_what_can_not_be(folder: Path) -> None:
    assert fix(folder, "--yes").returncode == 2
    assert fix(folder, "--output", "nowhere/mend.sql").returncode == 2
