"""Where reports go: understood before a survey, and written as far as it can be after it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from partywall.cli.outputs import Outputs, declaring, outputs
from partywall.errors import ConfigurationError
from partywall.reports.formats import Format
from tests.cli.harbour import Harbour, partywall, without_extras


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("form", "files", "standard", "formats"),
    [
        (None, [], "text", []),
        (Format.SARIF, [], "sarif", []),
        (None, ["r.html"], "text", ["html"]),
        (None, ["r.txt"], None, ["text"]),
        (Format.JSON, ["r.json"], None, ["json"]),
        (Format.JSON, ["r"], None, ["json"]),
        (Format.GITHUB, ["r.html", "r.sarif"], "github", ["html", "sarif"]),
        (None, ["gitlab:q.json", "html:page"], "text", ["gitlab", "html"]),
        (None, ["gl-code-quality-report.json"], "text", ["gitlab"]),
        (None, ["./json:r.md"], "text", ["markdown"]),
    ],
)
def test_what_goes_where(
    form: Format | None, files: list[str], standard: str | None, formats: list[str]
) -> None:
    Path("json:r.md").touch()
    got = outputs(form, files)
    assert got.standard == standard
    assert [one for one, _ in got.files] == formats


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["report"], "report doesn't say its format: let it end in"),
        (["report.pdf"], "or put one before it: text:report.pdf"),
        (["a.json", "./a.json"], "is named twice"),
        (["nowhere/a.json"], "there is no folder"),
        (["there.html"], "there.html is a folder"),
        (["html:"], "doesn't say its format"),
    ],
)
def test_what_can_t_be_is_said_before_anything_runs(files: list[str], words: str) -> None:
    Path("there.html").mkdir()
    with pytest.raises(ConfigurationError, match=words.replace(".", r"\.")):
        outputs(None, files)


def test_what_can_t_be_written_in_the_end_keeps_nothing_else_from_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    got = outputs(None, ["a.json", "b.html", "c.txt"])
    Path("b.html").mkdir()  # meanwhile
    with pytest.raises(ConfigurationError, match=r"the report can't be written to b\.html: Is a"):
        got.deliver(lambda form: f"as {form}", "held; ")
    assert Path("a.json").read_text() == "as json"
    assert Path("c.txt").read_text() == "as text"
    assert capsys.readouterr().err == "partywall: held; the reports are in a.json and c.txt\n"


def test_a_verdict_is_said_also_where_no_report_could_be_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    got = Outputs(None, ((Format.JSON, Path("/dev/full")),))
    with pytest.raises(ConfigurationError, match="/dev/full: No space left"):
        got.deliver(lambda _: "x", "breached; ")
    assert capsys.readouterr().err == "partywall: breached; there is no report\n"


def test_half_a_character_is_no_reason_not_to_write() -> None:
    Outputs(None, ((Format.TEXT, Path("a.txt")),)).deliver(lambda _: "x\ud800")
    assert Path("a.txt").read_text() == "x?"


def test_a_report_names_the_file_that_declares_the_survey() -> None:
    assert declaring(None) == "partywall.toml"
    Path("pyproject.toml").touch()
    assert declaring(None) == "pyproject.toml"
    Path("partywall.toml").touch()
    assert declaring(None) == "partywall.toml"
    assert declaring(Path("conf") / "p.toml") == "conf/p.toml"
    assert declaring(Path("conf").absolute() / "p.toml") == "conf/p.toml"
    assert declaring(Path("/etc/p.toml")) == "file:///etc/p.toml"


def test_one_survey_several_reports_and_no_extra_is_needed(harbour: Harbour) -> None:
    harbour.break_walls()
    files = ["r.html", "r.sarif", "r.json", "junit.xml", "pr.md", "gitlab:q.json"]
    outputs = [word for file in files for word in ("--output", file)]
    done = harbour.audit("--format", "github", *outputs, **without_extras(harbour.folder))
    assert done.returncode == 1
    assert done.stdout.startswith("::error title=partywall audit%3A breached,file=partywall.toml")
    assert done.stderr.startswith("partywall: breached; the reports are in r.html, r.sarif,")
    report = json.loads((harbour.folder / "r.json").read_text())
    breached = {(one["at"], one["effect"]) for one in report["findings"]}
    [run] = json.loads((harbour.folder / "r.sarif").read_text())["runs"]
    told = {
        (one["locations"][0]["logicalLocations"][0]["fullyQualifiedName"],
         one["properties"]["effect"])
        for one in run["results"]
    }  # fmt: skip
    assert told == breached
    root = ET.parse(harbour.folder / "junit.xml").getroot()  # noqa: S314 - of our own making
    failed = {
        case.attrib["name"]
        for case in root.iter("testcase")
        if [child.tag for child in case] == ["failure"]
    }
    assert failed == {f"{at}: {effect}" for at, effect in breached}
    assert len(json.loads((harbour.folder / "q.json").read_text())) == len(run["results"])
    assert (harbour.folder / "pr.md").read_text().startswith("## ✗ partywall audit: breached")
    page = (harbour.folder / "r.html").read_text()
    assert page.startswith("<!doctype html>")
    assert all(at in page for at, _ in breached)


@pytest.mark.parametrize("command", ["audit", "probe"])
def test_a_file_that_can_t_be_is_one_line_and_2(command: str, tmp_path: Path) -> None:
    (tmp_path / "r.html").mkdir()
    done = partywall(command, "--output", "r.html", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "partywall: --output: r.html is a folder\n"


def test_what_a_survey_assumes_is_no_page(tmp_path: Path) -> None:
    done = partywall("audit", "--explain-model", "--format", "html", folder=tmp_path)
    assert done.returncode == 2
    assert "--explain-model is written as text or json, not as html" in done.stderr
