"""`--baseline`, `--update-baseline` and `partywall diff` as programs, on a small real database."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from partywall.cli.known import opened
from tests.cli.harbour import Harbour, partywall
from tests.conftest import Database
from tests.migrations.projects import project
from tests.survey.surveys import WALLED

TENANT = """
[tenants.{name}]
id = "{id}"
url = "{url}"
enter = ["SELECT set_config('app.org', '{id}', true)"]
"""
LEAK = "CREATE POLICY open ON notes FOR SELECT USING (true);"
WORSE = "CREATE POLICY wipe ON notes FOR DELETE USING (true);"
SEIZED = "CREATE POLICY seize ON notes FOR UPDATE USING (true);"
UNTRIED = "CREATE SEQUENCE numbers; GRANT USAGE ON SEQUENCE numbers TO app;"


@pytest.fixture
def small(database: Database, tmp_path: Path) -> Harbour:
    """One table behind row security, which everybody reads all the same."""
    database.execute(WALLED + LEAK)
    tenants = "".join(
        TENANT.format(name=name, id=number, url=database.url("app"))
        for name, number in (("acme", "1"), ("globex", "2"))
    )
    text = f'[database]\nurl = "{database.url()}"\n{tenants}'
    (tmp_path / "partywall.toml").write_text(text)
    return Harbour(database, tmp_path)


def test_a_pipeline_fails_only_on_what_is_new(small: Harbour) -> None:
    made = small.audit("--baseline", "walls.json", "--update-baseline")
    assert made.returncode == 0
    first = (small.folder / "walls.json").read_text()
    assert made.stderr.startswith("partywall: the baseline walls.json has ")
    assert '"at": "public.notes", "effect": "read", "code": "PW201"' in first
    assert "pw" not in first.replace("partywall", "")  # no canary

    known = small.audit("--baseline", "walls.json", "--format", "json")
    report = json.loads(known.stdout)
    assert (known.returncode, report["verdict"], report["findings"]) == (0, "held", [])
    assert {one["at"] for one in report["known"]} == {"public.notes"}
    assert report["matrix"]["public.notes"]["read"] == "known"

    small.database.execute(WORSE + UNTRIED)
    new = small.audit("--baseline", "walls.json")
    assert new.returncode == 1
    assert "✗ destroy  PW225 delete-row" in new.stdout
    assert "\n= public.notes  read (read-rows" in new.stdout

    small.database.execute("DROP POLICY wipe ON notes; DROP POLICY open ON notes;")
    open_ = small.audit("--baseline", "walls.json")
    assert open_.returncode == 3
    assert "no attack covers it" in open_.stdout
    assert "of the baseline are mended: read public.notes" in " ".join(open_.stdout.split())


def test_a_change_is_judged_by_what_works_after_and_not_before(small: Harbour) -> None:
    small.audit("--format", "json", "--output", "old.json")
    after = sibling(small.database)

    done = partywall("diff", "old.json", after, folder=small.folder)

    text = " ".join(done.stdout.split())
    assert (done.returncode, done.stderr) == (1, "")
    assert "✗ write PW222 move-row acme → globex" in text
    assert "before held: this failed there" in text
    assert "UPDATE public.notes SET org" in text
    assert "also PW224 change-row" in text
    assert "✓ public.notes read (read-rows)" in text
    assert "- policy open: SELECT to public using (true)" in text
    assert "+ policy seize: UPDATE to public using (true)" in text
    assert small.copies() == []


def test_two_folders_of_migrations_are_compared(tmp_path: Path) -> None:
    project(tmp_path / "before", "plain", "sound")
    project(tmp_path / "after", "plain", "leaky")

    done = partywall("diff", "before", "after", folder=tmp_path)

    text = " ".join(done.stdout.split())
    assert done.returncode == 1
    assert "before (plain SQL files, 2 scripts)" in text
    assert "public.notes ✗ read PW201 read-rows" in text
    assert "before held: this failed there" in text
    assert "SELECT * FROM public.notes" in text
    assert "✗ weakened" in text
    assert done.stderr.splitlines() == [
        f"partywall: running the migrations of {name} on a disposable server"
        for name in ("before", "after")
    ]


def sibling(database: Database) -> str:
    """The address of another database on the server, with another wall broken."""
    name = f"{database.name}_next"
    database.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    tables = "".join(line for line in WALLED.splitlines(keepends=True) if "CREATE ROLE" not in line)
    with psycopg.connect(database.server.url(name), autocommit=True) as connection:
        connection.execute((tables + SEIZED).encode())
    return database.server.url(name)


def test_one_database_twice_is_no_comparison(small: Harbour) -> None:
    url = small.database.url()
    done = partywall("diff", url, url, "--format", "json", folder=small.folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "lead to the same databases" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["audit", "--update-baseline"], "needs --baseline FILE"),
        (["probe", "--baseline", "no/b.json", "--update-baseline"], "there is no folder"),
        (["diff", "old.json"], "Missing argument 'NEW'"),
        (["diff", "none.json", "none.json"], "there is no report none.json"),
        (["diff", "https://api.example", "x.json"], "`partywall probe --format json"),
        (["diff", "none.sql", "x.json"], "there is no folder of migrations none.sql"),
        (["diff", "a.json", "b.json", "--output", "no/diff.txt"], "there is no folder"),
    ],
)
def test_misuse_is_2_in_one_paragraph(arguments: list[str], words: str, tmp_path: Path) -> None:
    done = partywall(*arguments, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ["", '{"partywall_baseline": 1, "comm', None])
def test_a_baseline_is_written_over_a_broken_one_only(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "walls.json"
    if text is not None:
        file.write_text(text)
    assert opened(file, "audit", update=True) is None


def test_what_is_no_baseline_stays(small: Harbour) -> None:
    declared = (small.folder / "partywall.toml").read_text()
    done = small.audit("--baseline", "partywall.toml", "--update-baseline")
    assert (done.returncode, done.stdout) == (2, "")
    assert "partywall.toml is no baseline: give the baseline a file of its own" in done.stderr
    assert (small.folder / "partywall.toml").read_text() == declared


def test_a_baseline_that_isn_t_there_is_refused_before_anything_is_surveyed(
    small: Harbour,
) -> None:
    done = small.audit("--baseline", "none.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "`partywall audit --baseline none.json --update-baseline` writes it" in done.stderr
