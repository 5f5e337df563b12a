"""`partywall survey` as a program: which layers, which verdict, which files, and what it leaves."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import httpx
import jsonschema
import pytest

from partywall.cli.survey import LayerName
from partywall.reports.survey_json import schema
from partywall.servers.pgbouncer import pgbouncer
from partywall.survey.layers import LAYERS
from tests.cli.harbour import interrupted, partywall, without_extras
from tests.probe.serving import serving
from tests.reports.notes import TENANTS, notes
from tests.reports.sarif_schema import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from tests.cli.harbour import Harbour

ACME, GLOBEX = TENANTS
API = """
[api]
base = "{base}"
openapi = "openapi.json"
"""
POOL = '\n[pool]\nurl = "{url}"\nsize = 2\nat_once = 6\n'
ACCEPTED = """
[[exceptions]]
finding = "left-tables"
at = "pool sessions"
because = "nobody makes temporary tables"
[[exceptions]]
finding = "others-id"
at = "GET /nowhere"
because = "of the API, and no business of the pool"
"""


@contextmanager
def api(folder: Path, faults: Collection[str] = ()) -> Iterator[str]:
    """The notes, served, and declared beside the database that is there already."""
    app = notes(faults)
    described = app.openapi()
    described["paths"] = {
        path: {method: told for method, told in methods.items() if method != "put"}
        for path, methods in described["paths"].items()
        if path in {"/notes", "/notes/{note_id}"}
    }
    (folder / "openapi.json").write_text(json.dumps(described))
    file = folder / "partywall.toml"
    before = file.read_text()
    for name, token in (("acme", ACME), ("globex", GLOBEX)):
        headers = f'headers = {{ Authorization = "{token}" }}'
        before = before.replace(f"[tenants.{name}]\n", f"[tenants.{name}]\n{headers}\n")
    with serving(app) as port:
        file.write_text(before + API.format(base=f"http://127.0.0.1:{port}"))
        yield f"http://127.0.0.1:{port}"


@contextmanager
def pool(harbour: Harbour, more: str = "", **how: str) -> Iterator[str]:
    """A PgBouncer before the harbour's database, declared."""
    with pgbouncer(harbour.database.server, {"default_pool_size": "2", **how}) as bouncer:
        url = bouncer.url(harbour.database.name, "app")
        declare(harbour, POOL.format(url=url) + more)
        yield url


def declare(harbour: Harbour, more: str) -> None:
    with (harbour.folder / "partywall.toml").open("a") as file:
        file.write(more)


def survey(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return partywall("survey", *arguments, folder=folder, **environment)


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The report on standard output, as its schema has it."""
    report: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(report, schema(), cls=jsonschema.Draft202012Validator)
    return report


def test_the_command_knows_each_layer() -> None:
    assert [one.value for one in LayerName] == list(LAYERS)


def test_the_schema_of_the_joined_report_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_all_layers_hold_together(harbour: Harbour) -> None:
    with api(harbour.folder) as base, pool(harbour):
        done = survey(harbour.folder, "--output", "report.json")
        assert httpx.get(f"{base}/rows").json() == 0
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((harbour.folder / "report.json").read_text())
    jsonschema.validate(report, schema(), cls=jsonschema.Draft202012Validator)
    assert list(report["layers"]) == ["database", "api", "pool"]
    assert {one["verdict"] for one in report["layers"].values()} == {"held"}
    attempts = report["layers"]["pool"]["matrix"]
    assert {"pool sessions", "pool GET /notes/{note_id}"} <= set(attempts)
    assert done.stdout.splitlines()[-1].startswith("✓ held")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert harbour.copies() == []


FILES = (
    "r.json", "r.sarif", "r.xml", "r.md", "r.html", "gl-code-quality-report.json", "github:r.log",
    "r.txt",
)  # fmt: skip


def test_each_form_tells_of_all_layers(harbour: Harbour) -> None:
    harbour.break_walls()
    with api(harbour.folder, {"read"}), pool(harbour, server_reset_query_always="0"):
        done = survey(harbour.folder, *(a for name in FILES for a in ("--output", name)))
    assert done.returncode == 1, done.stderr

    def read(name: str) -> str:
        return (harbour.folder / name).read_text()

    places = ("public.projects", "GET /notes/{note_id}", "pool sessions")
    for name in ("r.txt", "r.log", "gl-code-quality-report.json", "r.sarif", "r.xml"):
        assert all(at in read(name) for at in places), name
    page = read("r.html")
    assert all(at in page for at in places)
    assert all(f"<option>{layer}</option>" in page for layer in ("database", "api", "pool"))
    assert 'data-l="pool"' in page
    sarif = json.loads(read("r.sarif"))
    jsonschema.validate(sarif, SCHEMA)
    [run] = sarif["runs"]
    assert run["automationDetails"]["id"] == "partywall/survey/"
    assert {"PW201", "PW301", "PW505"} <= {one["ruleId"] for one in run["results"]}
    assert all(one["shortDescription"]["text"] for one in run["tool"]["driver"]["rules"])
    cases = ET.fromstring(read("r.xml")).iter("testcase")  # noqa: S314 - written by us
    classes = {case.attrib["classname"] for case in cases}
    assert {f"partywall.survey.{one}" for one in ("database", "api", "pool")} <= classes
    assert "pool&#32;sessions" in read("r.md") or "pool sessions" in read("r.md")
    assert "✗ breached" in read("r.txt").splitlines()[-1]
    for name in FILES:
        assert "a-secret-of" not in read(name.removeprefix("github:")), name


def test_only_and_skip_choose_and_what_is_left_out_is_told(harbour: Harbour) -> None:
    with api(harbour.folder, {"read"}), pool(harbour):
        report = told(survey(harbour.folder, "--only", "pool", "--format", "json"))
        assert list(report["layers"]) == ["pool"]
        assert len(report["not_tried"]) == 2
        skipped = survey(harbour.folder, "--skip", "database", "--skip", "pool", "--format", "json")
    assert list(told(skipped)["layers"]) == ["api"]
    assert skipped.returncode == 1


def test_what_is_accepted_or_known_is_no_verdict_and_each_layer_minds_its_own(
    harbour: Harbour,
) -> None:
    with pool(harbour, ACCEPTED, server_reset_query_always="0"):
        first = survey(harbour.folder, "--baseline", "known.json", "--update-baseline")
        again = survey(harbour.folder, "--baseline", "known.json", "--format", "json")
        alone = survey(harbour.folder, "--only", "database")
    assert first.returncode == again.returncode == 0, first.stdout
    report = told(again)["layers"]["pool"]
    assert [one["finding"]["name"] for one in report["excepted"]] == ["left-tables"] * 2
    assert {one["name"] for one in report["known"]} >= {"left-cursors", "left-locks"}
    assert report["findings"] == []
    assert report["matrix"]["pool sessions"]["left-tables"] == "excepted"
    assert report["matrix"]["pool sessions"]["left-cursors"] == "known"
    assert "left-tables" not in (harbour.folder / "known.json").read_text()
    assert report["remarks"] == []
    assert alone.returncode == 0
    assert "exception" not in alone.stdout


def test_what_is_new_beside_a_baseline_fails(harbour: Harbour) -> None:
    with pool(harbour):
        made = survey(harbour.folder, "--baseline", "known.json", "--update-baseline")
    file = harbour.folder / "partywall.toml"
    file.write_text(file.read_text().partition("\n[pool]")[0])
    with pool(harbour, server_reset_query_always="0"):
        done = survey(harbour.folder, "--baseline", "known.json", "--format", "json")
    assert made.returncode == 0, made.stdout
    assert done.returncode == 1
    assert told(done)["layers"]["pool"]["verdict"] == "breached"


def test_a_layer_that_is_down_is_undecided_and_the_others_are_surveyed(harbour: Harbour) -> None:
    with api(harbour.folder):
        pass
    declare(harbour, POOL.format(url="postgresql://app:hunter2@127.0.0.1:1/app"))
    done = survey(harbour.folder, "--format", "json")
    assert done.returncode == 3, done.stderr
    report = told(done)["layers"]
    assert {name: one["verdict"] for name, one in report.items()} == {
        "database": "held", "api": "undecided", "pool": "undecided",
    }  # fmt: skip
    assert "127.0.0.1:1" in report["pool"]["undecided"][0]["because"]
    assert "hunter2" not in done.stdout + done.stderr


def test_without_the_extra_of_the_api_the_other_layers_are_surveyed(harbour: Harbour) -> None:
    with pool(harbour):
        done = survey(harbour.folder, "--format", "json", **without_extras(harbour.folder))
    assert done.returncode == 0, done.stderr
    assert list(told(done)["layers"]) == ["database", "pool"]


@pytest.mark.parametrize(
    ("declared", "arguments", "words"),
    [
        ("", [], "no layer to survey"),
        ("[database]\nurl = 'postgresql://a@b/c'", ["--only", "cache"], "no table [cache]"),
        ("[pool]\n", ["--skip", "pool"], "every layer is left out"),
        ("[pool]\nsiez = 3", [], "siez (did you mean size?)"),
        ("[pool]\nsize = 0", [], "[pool] needs size = a whole number, 1 or more"),
        ("[poll]\n", [], "poll (did you mean pool?)"),
        ("[pool]\nurl = 'postgresql://a@b/c'", [], "[pool] has a url, and two tenants"),
        ("[tenants.a.pool]\nulr = 'x'\n[pool]\n", [], "[tenants.a.pool] has unknown keys: ulr"),
        ("[tenants.a.pol]\nurl = 'x'\n[pool]\n", [], "pol (did you mean pool?)"),
        ("[pool]\n", ["--only", "poool"], "Invalid value"),
        ("[pool]\n", ["--only", "pool", "--update-baseline", "--baseline", "b"], "not with --only"),
        ("[pool]\n", ["--update-baseline"], "--update-baseline needs --baseline"),
    ],
)
def test_misuse_is_2_in_one_paragraph(
    declared: str, arguments: list[str], words: str, tmp_path: Path
) -> None:
    (tmp_path / "partywall.toml").write_text(declared)
    done = survey(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_an_interrupted_survey_removes_what_it_made(harbour: Harbour) -> None:
    with api(harbour.folder) as base, pool(harbour):
        declared = (harbour.folder / "partywall.toml").read_text()
        slow = declared.replace("[api]", "[api]\nrate = 10")
        (harbour.folder / "partywall.toml").write_text(slow)
        done = interrupted("survey", "--skip", "database", base=base, folder=harbour.folder)
        assert httpx.get(f"{base}/rows").json() == 0
    assert (done.returncode, done.stdout) == (130, "")
    assert "interrupted: what was made for this run has been removed" in done.stderr
