"""`partywall probe` as a program: exit codes, streams, files and what it leaves behind."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import httpx
import jsonschema
import pytest
from rich.console import Console

from partywall.cli.probe_progress import ProbeProgress
from partywall.reports.probe_json import schema
from tests.cli.harbour import interrupted, partywall
from tests.probe.serving import serving
from tests.reports.notes import TENANTS, notes
from tests.reports.probe_values import tried

ACME, GLOBEX = TENANTS

DECLARED = """
[api]
base = "{base}"
openapi = "openapi.json"
{more}
[tenants.acme]
headers = {{ Authorization = "${{ACME_TOKEN}}" }}
[tenants.globex]
headers = {{ Authorization = "{globex}" }}
"""


@contextmanager
def api(
    folder: Path, faults: Collection[str] = (), only: Collection[str] = ("get", "post", "delete")
) -> Iterator[str]:
    """The notes, served, with a partywall.toml and a description of a few operations."""
    app = notes(faults)
    described = app.openapi()
    paths = {"/notes", "/notes/{note_id}"}
    described["paths"] = {
        path: {method: told for method, told in methods.items() if method in only}
        for path, methods in described["paths"].items()
        if path in paths
    }
    (folder / "openapi.json").write_text(json.dumps(described))
    with serving(app) as port:
        base = f"http://127.0.0.1:{port}"
        (folder / "partywall.toml").write_text(DECLARED.format(base=base, more="", globex=GLOBEX))
        yield base


def probe(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return partywall("probe", *arguments, folder=folder, ACME_TOKEN=ACME)


def test_held_is_0_and_says_so_last(tmp_path: Path) -> None:
    with api(tmp_path) as base:
        done = probe(tmp_path)
        assert httpx.get(f"{base}/rows").json() == 0
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.splitlines()[-1].startswith("✓ held")
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_breached_is_1_with_commands_that_show_no_secret(tmp_path: Path) -> None:
    with api(tmp_path, {"read"}):
        done = probe(tmp_path, "--emit-tests", "test_breaches.py")
    assert done.returncode == 1
    assert "✗ breached  one tenant can reach the other" in done.stdout
    assert "GET /notes/{note_id}\n  ✗ read" in done.stdout
    assert "$ACME_AUTHORIZATION" in done.stdout
    assert "a-secret-of" not in done.stdout
    assert "in test_breaches.py" in done.stderr
    compile((tmp_path / "test_breaches.py").read_text(), "test_breaches.py", "exec")


def test_json_is_alone_on_standard_output_and_follows_its_schema(tmp_path: Path) -> None:
    with api(tmp_path, {"read"}):
        done = probe(tmp_path, "--format", "json", "--seed", "5", "--deny", "DELETE /notes/*")
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    jsonschema.validate(report, schema(), cls=jsonschema.Draft202012Validator)
    assert (report["verdict"], report["seed"]) == ("breached", 5)
    assert {one["at"] for one in report["findings"]} == {"GET /notes/{note_id}"}
    assert "DELETE /notes/{note_id}" not in report["matrix"]
    assert "a-secret-of" not in done.stdout


ACCEPTED = """
[[exceptions]]
finding = "others-id"
at = "DELETE /notes/{note_id}"
because = "anybody may tidy up"
"""


@pytest.mark.parametrize("more", [set(), {"late"}])
def test_what_is_accepted_or_known_is_shown_and_makes_no_verdict(
    tmp_path: Path, more: set[str]
) -> None:
    file = tmp_path / "partywall.toml"
    with api(tmp_path, {"read", "delete", *more}):
        file.write_text(ACCEPTED + file.read_text())
        done = probe(tmp_path, "--baseline", "b.json", "--update-baseline", "--format", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert "GET /notes/{note_id}" in {one["at"] for one in report["known"]}
    assert [one["because"] for one in report["excepted"]] == ["anybody may tidy up"]
    states = {at: set(cells.values()) for at, cells in report["matrix"].items()}
    assert "known" in states["GET /notes/{note_id}"]
    assert "excepted" in states["DELETE /notes/{note_id}"]
    assert "DELETE" not in (tmp_path / "b.json").read_text()


def test_a_file_gets_the_report_and_the_terminal_one_line(tmp_path: Path) -> None:
    with api(tmp_path):
        done = probe(tmp_path, "--read-only", "--format", "json", "--output", "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert done.returncode == {"held": 0, "breached": 1, "undecided": 3}[report["verdict"]]
    assert done.stdout == ""
    assert done.stderr == f"partywall: {report['verdict']}; the report is in report.json\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--nonsense"], "No such option"),
        (["--format", "xml"], "xml"),
        (["--pairs", "some"], "some"),
        (["--rate", "-1"], "--rate"),
        (["--output", "nowhere/report.txt"], "--output: there is no folder"),
        (["--emit-tests", "nowhere/test_x.py"], "--emit-tests: there is no folder"),
        (["--journal", "nowhere/j"], "--journal: there is no folder"),
        (["--config", "missing.toml"], "there is no configuration file missing.toml"),
        ([], "no API to probe: give `partywall probe --base http://…`"),
        (["--base", "http://127.0.0.1:1"], "nothing says which operations the API has"),
        (["--base", "127.0.0.1:1"], "--base is no address"),
        (["--base", "http://127.0.0.1:1", "--openapi", "no.json"], "--openapi: there is no file"),
        (["--app", "a:b"], "no tenant has credentials"),
        (["--app", "a:b", "--deny", "POST"], "'POST' names no operation"),
    ],
)
def test_misuse_is_2_in_one_paragraph(arguments: list[str], words: str, tmp_path: Path) -> None:
    done = partywall("probe", *arguments, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_a_variable_that_is_not_set_is_2_and_named(tmp_path: Path) -> None:
    with api(tmp_path):
        done = partywall("probe", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "[tenants.acme.headers] Authorization names the environment variable ACME_TOKEN" in (
        done.stderr
    )


def test_an_api_that_is_not_there_is_2(tmp_path: Path) -> None:
    with api(tmp_path):
        pass
    done = probe(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_an_interrupted_probe_removes_what_it_made_and_says_so(tmp_path: Path) -> None:
    with api(tmp_path) as base:
        done = interrupted("probe", "--rate", "20", base=base, folder=tmp_path, ACME_TOKEN=ACME)
        assert httpx.get(f"{base}/rows").json() == 0
    assert done.returncode == 130
    assert done.stdout == ""
    assert "interrupted: what was created for this run has been removed" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_answers_at_once(tmp_path: Path) -> None:
    done = partywall("probe", "--help", folder=tmp_path)
    assert done.returncode == 0
    assert "--emit-tests FILE" in done.stdout
    heavy = ["httpx", "hypothesis", "schemathesis", "partywall.survey"]
    code = f"import sys, partywall.cli; print(sorted(set({heavy!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


def test_operations_breaches_and_speed_go_by_on_a_terminal() -> None:
    page = StringIO()
    console = Console(file=page, force_terminal=True, width=120, _environ={"TERM": "xterm"})
    with ProbeProgress(console) as progress:
        progress.stage("attacking")
        progress.planned(4)
        for state in ("held", "breached", "undecided"):
            progress.judged(tried("GET /a", state))
        progress.judged(tried("GET /a", attacker="globex", victim="acme"))
        progress.asked(1234)
        time.sleep(0.2)
    seen = page.getvalue()
    for words in ("attacking", "2 of 4 operations", "1 breach", "1 undecided", "requests/s"):
        assert words in seen


def test_without_a_terminal_nothing_goes_by() -> None:
    page = StringIO()
    with ProbeProgress(Console(file=page)) as progress:
        progress.stage("attacking")
        progress.asked(1)
    assert page.getvalue() == ""
