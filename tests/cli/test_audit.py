"""`partywall audit` as a program: exit codes, streams, files and what it leaves behind."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import jsonschema
import psycopg
import pytest

from partywall.reports.json import schema
from tests.cli.harbour import Harbour, partywall

NEVER = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'only the night job may write here'; END $$;
CREATE TABLE nightly (org_id uuid NOT NULL REFERENCES organisations, total int NOT NULL);
ALTER TABLE nightly ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON nightly USING (org_id = (SELECT current_org()));
GRANT SELECT, INSERT ON nightly TO app;
CREATE TRIGGER refused BEFORE INSERT ON nightly FOR EACH ROW EXECUTE FUNCTION refuse();
"""


def test_held_is_0_and_says_so_last(harbour: Harbour) -> None:
    done = harbour.audit()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("✓ held")
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert harbour.copies() == []


def test_breached_is_1_with_a_witness_that_replays(harbour: Harbour) -> None:
    harbour.break_walls()
    done = harbour.audit()
    assert done.returncode == 1
    assert "\nbreached" not in done.stderr
    assert "✗ breached  one tenant can reach the other" in done.stdout
    assert "SELECT * FROM public.open_invoices;" in done.stdout
    assert "ALTER VIEW public.open_invoices SET (security_invoker = true);" in done.stdout


def test_json_is_alone_on_standard_output_and_follows_its_schema(harbour: Harbour) -> None:
    harbour.break_walls()
    done = harbour.audit("--format", "json")
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    jsonschema.validate(report, schema(), cls=jsonschema.Draft202012Validator)
    assert report["verdict"] == "breached"
    assert {f["effect"] for f in report["findings"]} >= {"read", "write", "destroy", "detect"}
    assert report["model"]["settings"] == ["app.org_id"]
    assert report["model"]["shared"].keys() == {"public.plans"}
    assert report["place"] == "copy"


def test_undecided_is_3_with_the_reason(harbour: Harbour) -> None:
    harbour.database.execute(NEVER)
    done = harbour.audit()
    assert done.returncode == 3
    assert "? public.nightly" in done.stdout
    assert "only the night job may write here" in " ".join(done.stdout.split())
    assert done.stdout.splitlines()[-1].startswith("? undecided")


def test_on_the_target_nothing_stays(harbour: Harbour) -> None:
    harbour.break_walls()
    before = harbour.database.rows("SELECT count(*) FROM members")
    done = harbour.audit("--on", "target")
    assert done.returncode == 1
    assert "on the target itself, everything rolled back" in " ".join(done.stdout.split())
    assert harbour.database.rows("SELECT count(*) FROM members") == before == [(0,)]


def test_a_file_gets_the_report_and_the_terminal_one_line(harbour: Harbour) -> None:
    done = harbour.audit("--format", "json", "--output", "report.json")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "partywall: held; the report is in report.json\n"
    report = json.loads((harbour.folder / "report.json").read_text())
    assert report["verdict"] == "held"


def test_the_attacker_of_the_command_line_goes_before_the_file_s(harbour: Harbour) -> None:
    with (harbour.folder / "partywall.toml").open("a") as file:
        file.write('[survey]\nattacker = "context"\n')
    done = harbour.audit("--format", "json", "--attacker", "sql")
    assert json.loads(done.stdout)["attacker"] == "sql"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--nonsense"], "No such option"),
        (["--format", "xml"], "xml"),
        (["--on", "moon"], "moon"),
        (["--read-only", "--on", "copy"], "not with --on copy"),
        (["--read-only", "--destructive"], "not with --destructive"),
        (["--destructive"], "--on target"),
        (["--output", "nowhere/report.txt"], "there is no folder"),
        (["--config", "missing.toml"], "there is no configuration file missing.toml"),
        ([], "no database to survey"),
        (["--url", "nonsense"], "no address of a PostgreSQL database"),
        (["--url", "postgresql://postgres@127.0.0.1:1/app"], "can't connect to 127.0.0.1:1/app"),
    ],
)
def test_misuse_is_2_in_one_paragraph(arguments: list[str], words: str, tmp_path: Path) -> None:
    done = partywall("audit", *arguments, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("[database]", "[database", "can't be read as TOML"),
        ("[database]", "[databse]", "unknown keys: databse"),
        ("[tenants.globex]", "[model]", "[model] has unknown keys"),
        ("app@", "${NOBODY_SET_THIS}@", "NOBODY_SET_THIS, which is not set"),
        ("app@", "", "the URL names no role"),
        ("app@", "apq@", "apq"),
        ("SELECT set_config", "SELECT no_such_function", "[tenants.acme] could not be entered"),
        ("[tenants.acme]", '[survey]\nattacker = "psychic"\n[tenants.acme]', "'psychic'"),
        (
            "[tenants.acme]",
            '[[exceptions]]\nfinding = "x"\nat = "y"\nbecause = ""\n[tenants.acme]',
            "must give a reason",
        ),
    ],
)
def test_a_configuration_that_can_t_work_is_2(
    harbour: Harbour, before: str, after: str, words: str
) -> None:
    file = harbour.folder / "partywall.toml"
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))
    done = harbour.audit()
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.startswith("partywall: ")
    assert len(done.stderr.splitlines()) == 1
    assert harbour.copies() == []


def test_a_database_that_names_no_tenants_is_2_and_told_what_to_declare(harbour: Harbour) -> None:
    (harbour.folder / "partywall.toml").write_text("")
    harbour.database.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    done = harbour.audit("--url", harbour.database.url())
    assert (done.returncode, done.stdout) == (2, "")
    assert "[tenants.acme]" in done.stderr


def test_an_address_alone_is_enough_where_the_catalog_tells_the_rest(harbour: Harbour) -> None:
    (harbour.folder / "partywall.toml").unlink()
    done = harbour.audit("--url", harbour.database.url())
    assert (done.returncode, done.stderr) == (0, "")


def test_a_fault_of_ours_is_70_and_asks_for_a_report(harbour: Harbour) -> None:
    """A damaged installation: the parser that the survey needs fails in no foreseen way."""
    damaged = harbour.folder / "damaged" / "pglast"
    damaged.mkdir(parents=True)
    (damaged / "__init__.py").write_text("raise RuntimeError('bytes went missing')")
    done = harbour.audit(PYTHONPATH=str(damaged.parent))
    assert (done.returncode, done.stdout) == (70, "")
    assert "internal error: RuntimeError: bytes went missing" in done.stderr
    assert "Please report it" in done.stderr
    assert "Traceback" not in done.stderr
    told = harbour.audit("--verbose", PYTHONPATH=str(damaged.parent))
    assert told.returncode == 70
    assert "Traceback" in told.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_survey_leaves_nothing(
    harbour: Harbour, number: signal.Signals, code: int
) -> None:
    with psycopg.connect(harbour.database.url()) as other:
        other.execute("LOCK TABLE members")  # pg_dump waits for it, so the copy is half made
        with harbour.start() as running:
            wait_for_copy(harbour, running)
            running.send_signal(number)
            _, said = running.communicate(timeout=30)
    assert running.returncode == code, said
    assert "Traceback" not in said
    assert harbour.copies() == []


def wait_for_copy(harbour: Harbour, running: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while not harbour.copies():
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_reader_who_leaves_early_is_no_error(harbour: Harbour) -> None:
    harbour.break_walls()
    with harbour.start("--format", "json") as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 1


def test_left_over_copies_are_named_and_dropped_on_demand(harbour: Harbour) -> None:
    name = "partywall_copy_0badcafe_0"
    harbour.database.execute(f"CREATE DATABASE {name}")
    harbour.database.execute(f"COMMENT ON DATABASE {name} IS 'partywall: a disposable copy'")
    told = harbour.audit("--explain-model")
    assert told.returncode == 0
    assert f'DROP DATABASE "{name}";' in told.stderr
    assert harbour.copies() == [name]
    cleaned = harbour.audit("--explain-model", "--clean")
    assert f"dropped 1 copy of killed runs: {name}" in cleaned.stderr
    assert harbour.copies() == []
