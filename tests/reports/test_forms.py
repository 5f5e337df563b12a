"""What each form of a report says, and that none is silent about what is open."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path, PurePath
from types import ModuleType
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from partywall.reports import (
    audit_overview,
    github,
    gitlab,
    html,
    junit,
    markdown,
    probe_overview,
    rules,
    sarif,
)  # fmt: skip
from partywall.reports.formats import ENDINGS, Format, by_name, written
from partywall.reports.overview import Overview
from partywall.reports.severity import SEVERITIES
from partywall.survey.attacks import every_attack
from partywall.survey.baseline import baseline, compared
from partywall.survey.checks import every_check
from partywall.survey.explaining.pages import page
from partywall.survey.fingerprint import fingerprint
from partywall.survey.http.attacks import every_attack as every_http_attack
from partywall.survey.http.recipe import HttpFinding
from partywall.survey.http.report import HttpReport
from partywall.survey.verdict import (
    EFFECTS,
    Excepted,
    Finding,
    Fleet,
    Report,
    State,
    Undecided,
)
from tests.reports import probe_values, values
from tests.reports.sarif_schema import SCHEMA
from tests.reports.test_json import FULL

OPEN = Undecided("PW222", "move-row", "write", "public.log", "no row could be planted")
UNCOMPARED = replace(FULL, known=(), known_undecided=(), remarks=())
PROBE = replace(
    probe_values.report(probe_values.FINDING, probe_values.back()),
    undecided=(Undecided("PW300", "owners-own", "read", "GET /odd", "answered with 500"),),
    excepted=(Excepted(replace(probe_values.FINDING, at="GET /accepted"), "agreed"),),
    public=(probe_values.COUNTRIES,),
    shared=(probe_values.BOARD, replace(probe_values.BOARD, at="GET /meant", declared=True)),
    left=("left out by [api] deny: POST /reset",),
)
OLD = values.on("public.old")
OLD_OPEN = replace(OPEN, at="public.old", because="as ever")
OLD_PROBE = replace(probe_values.FINDING, at="GET /old")
ODD = Undecided("PW300", "owners-own", "read", "GET /dim", "as ever")
EVERY = [one.written for one in (sarif, junit, markdown, github, gitlab, html)]


def audit(found: Report = FULL) -> Overview:
    return audit_overview.overview(found, "partywall.toml")


def probe(found: HttpReport = PROBE) -> Overview:
    return probe_overview.overview(found, "conf/partywall.toml")


def known_audit(*new: Finding) -> Overview:
    """One breach, one doubt as in the baseline, of which one breach is mended; and what is new."""
    then = replace(values.report(OLD, values.on("public.gone")), undecided=(OLD_OPEN,))
    doubts = (OLD_OPEN, OPEN) if new else (OLD_OPEN,)
    now = replace(values.report(*new, OLD), undecided=doubts)
    return audit(compared(now, baseline(then)))


def known_probe(*new: HttpFinding) -> Overview:
    """The same of an API; what anybody may read is in the baseline too."""
    tried = tuple(
        probe_values.tried(one.at, "breached", attack=one.name) for one in (*new, OLD_PROBE)
    )
    dim = probe_values.tried("GET /dim", "undecided", "owners-own", because="as ever")
    then = replace(
        probe_values.report(OLD_PROBE), undecided=(ODD,), public=(probe_values.COUNTRIES,)
    )
    now = replace(
        probe_values.report(*new, OLD_PROBE, every=(*tried, dim)),
        undecided=(ODD,),
        public=(probe_values.COUNTRIES,),
        shared=(probe_values.BOARD,) if new else (),
    )
    return probe(compared(now, baseline(then)))


BESIDE = pytest.mark.parametrize(
    "found", [known_audit(values.FINDING), known_probe(probe_values.FINDING)],
    ids=["audit", "probe"],
)  # fmt: skip
NO_NEWS = pytest.mark.parametrize(
    "found", [known_audit(), known_probe()], ids=["audit", "probe"]
)  # fmt: skip
OVERVIEWS = pytest.mark.parametrize("found", [audit(), probe()], ids=["audit", "probe"])


# -- the form they are all made of ---------------------------------------------------------------


@OVERVIEWS
def test_nothing_found_or_open_is_without_a_cell(found: Overview) -> None:
    cells = {(row.at, column): state for row in found.rows for column, state in row.cells.items()}
    assert all(cells[one.finding.at, one.column] == "breached" for one in found.breaches)
    assert all(cells[one.at, one.column] in {"undecided", "breached"} for one in found.doubts)
    assert {column for _, column in cells} <= set(found.columns)


def test_a_breach_without_a_cell_gets_one() -> None:
    found = audit(replace(FULL, cells={}))
    assert {row.at: row.cells for row in found.rows} == {
        "public.invoices": {"read": "breached"}, "public.log": {"write": "undecided"},
    }  # fmt: skip
    lost = probe(replace(PROBE, tried=()))
    assert {row.at for row in lost.rows} >= {probe_values.FINDING.at}
    assert lost.rows[0].cells == {"others-id": "breached"}


def test_the_same_breach_by_several_is_one() -> None:
    stranger = replace(values.FINDING, attacker="anonymous")
    [one] = audit_overview.overview(values.report(stranger, values.FINDING), "x").breaches
    assert one.finding == values.FINDING
    assert one.also == "with no context at all"
    assert one.tenants == ("acme", "globex")


def test_many_attackers_are_counted() -> None:
    many = [replace(values.FINDING, attacker=f"tenant-{n:03}") for n in range(1000)]
    [one] = audit_overview.overview(values.report(*many), "x").breaches
    assert one.also.endswith("and 993 more")
    assert len(one.tenants) == 1001


def test_where_all_tenants_attack_their_number_is_told() -> None:
    found = audit(replace(FULL, fleet=Fleet(1000, 999_000, 998)))
    assert found.facts[:2] == (("Tenants", "998 of 1,000 attacked"), ("Pairs", "999,000"))


def test_what_nobody_declared_is_open_and_what_is_declared_is_not() -> None:
    meant = [one.at for one in probe().doubts if one.meant]
    assert meant == ["GET /countries", "GET /boards/{id}"]


# -- SARIF ---------------------------------------------------------------------------------------


@OVERVIEWS
def test_a_sarif_log_is_one(found: Overview) -> None:
    log = json.loads(sarif.written(found))
    jsonschema.Draft202012Validator(SCHEMA).validate(log)
    [run] = log["runs"]
    known = run["tool"]["driver"]["rules"]
    assert [known[r["ruleIndex"]]["id"] for r in run["results"]] == [
        r["ruleId"] for r in run["results"]
    ]
    keys = [r["partialFingerprints"]["primaryLocationLineHash"] for r in run["results"]]
    accepted = [one for one in run["results"] if one["suppressions"]]
    assert len(set(keys)) >= len(keys) - len(accepted)


def test_sarif_tells_breached_from_open_and_from_accepted() -> None:
    [run] = sarif.log(audit(UNCOMPARED))["runs"]
    kinds = [(r["kind"], r["level"], bool(r["suppressions"])) for r in run["results"]]
    assert not any("baselineState" in r for r in run["results"])
    assert kinds == [
        ("fail", "error", False), ("open", "none", False),
        ("fail", "error", True), ("fail", "error", True),
    ]  # fmt: skip
    [suppression] = run["results"][2]["suppressions"]
    assert suppression == {
        "kind": "external", "status": "accepted", "justification": "agreed",
        "properties": {"until": "2027-06-30"},
    }  # fmt: skip
    assert run["invocations"][0]["exitCode"] == 1
    assert run["properties"]["verdict"] == "breached"
    assert run["results"][0]["codeFlows"][0]["threadFlows"][0]["locations"]


def test_what_only_a_person_can_decide_is_up_for_review() -> None:
    [run] = sarif.log(probe(replace(PROBE, findings=(), excepted=())))["runs"]
    assert [r["kind"] for r in run["results"]] == ["open", "review", "review"]
    assert run["invocations"][0]["exitCode"] == 3
    place = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place["uri"] == "conf/partywall.toml"


def test_every_rule_explains_itself() -> None:
    named = [(one.code, one.name) for one in every_attack()]
    for code, name in [*named, *((one.code, one.name) for one in every_check())]:
        told = rules.rule("audit", code, name)
        assert told.summary
        assert told.url.endswith(f"/{name}.md")
    for attack in every_http_attack():
        assert rules.rule("probe", attack.code, attack.name).doc == attack.doc


@pytest.mark.parametrize("name", ["plant-rows", "no-attack", "all-tenants", "tenant-drift"])
def test_a_rule_without_an_attack_explains_itself(name: str) -> None:
    told = rules.rule("audit", "PW000", name)
    assert told.summary == page(name).summary
    assert page(name).fix in told.doc


def test_every_effect_has_its_severity() -> None:
    assert set(SEVERITIES) == set(EFFECTS)


# -- JUnit ---------------------------------------------------------------------------------------

# What Jenkins' schema (junit-10.xsd) allows: element -> its attributes, those needed first.
ALLOWED = {
    "testsuites": ([], ["name", "time", "tests", "failures", "errors"]),
    "testsuite": (["name", "tests", "failures", "errors"], ["skipped", "time"]),
    "testcase": (["name"], ["classname", "time"]),
    "failure": ([], ["type", "message"]),
    "error": ([], ["type", "message"]),
    "skipped": ([], ["type", "message"]),
}
WITHIN = {
    "testsuites": {"testsuite"}, "testsuite": {"testcase"},
    "testcase": {"failure", "error", "skipped"}, "failure": set(), "error": set(),
    "skipped": set(),
}  # fmt: skip


@OVERVIEWS
def test_junit_keeps_to_what_its_readers_know(found: Overview) -> None:
    root = ET.fromstring(junit.written(found))  # noqa: S314 - of our own making
    for element in root.iter():
        needed, optional = ALLOWED[element.tag]
        assert set(needed) <= set(element.attrib) <= {*needed, *optional}
        assert {child.tag for child in element} <= WITHIN[element.tag]
    for suite in root:
        assert suite.attrib["tests"] == str(len(suite))
    assert root.attrib["tests"] == str(sum(len(row.cells) for row in found.rows))
    names = [case.attrib["name"] for case in root.iter("testcase")]
    assert len(set(names)) == len(names)


def test_each_cell_is_a_test_that_ends_as_the_cell_did() -> None:
    cells: dict[tuple[str, str], State] = {
        ("public.invoices", "read"): "breached", ("public.log", "write"): "undecided",
        ("public.t", "read"): "held", ("public.t", "write"): "closed",
        ("public.t", "destroy"): "excepted",
    }  # fmt: skip
    found = audit(replace(FULL, cells=cells))
    cases = {c.attrib["name"]: c for c in junit.suites(found).iter("testcase")}
    ended = {name: [child.tag for child in case] for name, case in cases.items()}
    assert ended == {
        "public.invoices: read": ["failure"], "public.log: write": ["error"],
        "public.t: read": [], "public.t: write": [], "public.t: destroy": ["skipped"],
    }  # fmt: skip
    assert cases["public.log: write"][0].attrib["message"] == "why"
    told = cases["public.invoices: read"][0].text or ""
    assert "SELECT * FROM public.invoices;" in told
    assert "FORCE ROW LEVEL SECURITY" in told


def test_a_breach_that_another_finding_tells_fails_too() -> None:
    tried = (probe_values.tried("PUT /notes/{id}", "breached"),)
    found = probe(replace(PROBE, tried=tried, findings=()))
    [failure] = junit.suites(found).iter("failure")
    assert "told elsewhere" in failure.attrib["message"]


# -- GitLab, GitHub, Markdown --------------------------------------------------------------------


def test_gitlab_gets_breaches_and_what_is_open() -> None:
    issues = json.loads(gitlab.written(audit(UNCOMPARED)))
    assert [one["severity"] for one in issues] == ["critical", "major"]
    assert issues[0]["fingerprint"] == fingerprint(values.FINDING)
    assert issues[1]["description"] == "public.log: undecided (write), why"
    for one in issues:
        assert one["location"] == {"path": "partywall.toml", "lines": {"begin": 1}}


def test_annotations_begin_with_the_verdict_and_go_from_bad_to_good() -> None:
    lines = github.written(audit(UNCOMPARED)).splitlines()
    assert lines[0].startswith("::error title=partywall audit%3A breached,file=partywall.toml")
    assert [line.split(" ")[0] for line in lines] == [
        "::error", "::error", "::warning", "::notice", "::notice",
    ]  # fmt: skip


def test_what_held_is_no_error() -> None:
    [line] = github.written(audit_overview.overview(values.report(), "partywall.toml")).splitlines()
    assert line.startswith("::notice title=partywall audit%3A held")


def test_a_comment_stays_short_enough_and_says_what_it_leaves_out() -> None:
    long = replace(values.FINDING, because="b" * 300, fix="f" * 3000)
    many = [values.on(f"public.t{n}", long) for n in range(400)]
    doubts = [replace(OPEN, at=f"public.t{n}", because="d" * 500) for n in range(400)]
    found = replace(
        values.report(*many),
        undecided=tuple(doubts),
        excepted=tuple(Excepted(one, "e" * 500) for one in many),
        left=("l" * 500,) * 100,
        remarks=("r" * 500,) * 100,
    )
    told = markdown.written(audit(found))
    assert 40_000 < len(told) < markdown.LIMIT
    assert "more witnesses in the whole report" in told
    assert len(re.findall(r"^\d+ more in the whole report", told, re.MULTILINE)) == 5


def test_a_comment_has_the_verdict_the_witness_and_what_is_open() -> None:
    told = markdown.written(probe())
    assert told.startswith("## ✗ partywall probe: breached")
    assert "<details><summary>" in told
    assert "### ? 3 undecided" in told
    assert "### ~ 1 accepted" in told


@OVERVIEWS
@pytest.mark.parametrize("form", EVERY, ids=lambda form: form.__module__.rpartition(".")[2])
def test_no_form_is_silent_about_what_is_open(
    found: Overview, form: Callable[[Overview], str]
) -> None:
    told = form(found)
    assert "undecided" in told
    for doubt in found.doubts:
        assert doubt.because.split(":")[0].split("'")[0] in told


# -- beside a baseline ---------------------------------------------------------------------------


@BESIDE
def test_what_the_baseline_has_stands_apart(found: Overview) -> None:
    assert found.verdict == "breached"
    old = {one.at for one in found.in_baseline}
    assert old.isdisjoint(one.at for one in found.breaches)
    assert old.isdisjoint(one.at for one in found.doubts)
    cells = {row.at: set(row.cells.values()) for row in found.rows}
    assert all(cells[at] == {"known"} for at in old)
    assert len(found.known) == 1
    assert len(found.doubts) == 1


def test_a_cell_with_something_new_is_not_known() -> None:
    row = known_audit(replace(OLD, code="PW202", name="unassigned-rows")).rows
    assert {one.at: one.cells for one in row}["public.old"] == {
        "read": "breached", "write": "known",
    }  # fmt: skip


@BESIDE
def test_sarif_tells_new_from_unchanged(found: Overview) -> None:
    log = sarif.log(found)
    jsonschema.Draft202012Validator(SCHEMA).validate(log)
    [run] = log["runs"]
    told = [(r["baselineState"], r["kind"], r["level"], len(r["suppressions"]))
            for r in run["results"]]  # fmt: skip
    assert [one for one in told if one[0] == "unchanged"] == [
        ("unchanged", "fail", "note", 1), ("unchanged", "open", "none", 1),
        *[("unchanged", "review", "none", 1)] * (found.command == "probe"),
    ]  # fmt: skip
    assert all(one[-1] == 0 for one in told if one[0] == "new")
    keys = {r["partialFingerprints"]["primaryLocationLineHash"] for r in run["results"]}
    assert len(keys) == len(told)


def test_an_accepted_finding_is_no_news() -> None:
    found = replace(known_audit(values.FINDING), excepted=FULL.excepted[:1])
    [run] = sarif.log(found)["runs"]
    assert [r["baselineState"] for r in run["results"]][:3] == ["new", "new", "unchanged"]


@NO_NEWS
def test_nothing_known_fails_anything(found: Overview) -> None:
    assert found.verdict == "held"
    root = junit.suites(found)
    assert (root.attrib["failures"], root.attrib["errors"]) == ("0", "0")
    reasons = [one.attrib["message"] for one in root.iter("skipped")]
    assert len(reasons) == len(found.in_baseline)
    assert all(one.startswith("known by the baseline: ") for one in reasons)
    assert sum(int(s.attrib["skipped"]) for s in root) == len(reasons)
    assert {line.split(" ")[0] for line in github.written(found).splitlines()} == {"::notice"}
    assert {one["severity"] for one in gitlab.issues(found)} == {"info"}
    [run] = sarif.log(found)["runs"]
    assert run["invocations"][0]["exitCode"] == 0
    assert all(r["suppressions"] and r["level"] in {"note", "none"} for r in run["results"])


@BESIDE
@pytest.mark.parametrize("form", EVERY, ids=lambda form: form.__module__.rpartition(".")[2])
def test_no_form_is_silent_about_what_is_known(
    found: Overview, form: Callable[[Overview], str]
) -> None:
    told = unescape(form(found))
    assert "nown by the baseline" in told
    for one in found.in_baseline:
        assert one.at in told


@pytest.mark.parametrize("form", [markdown, github, sarif, html], ids=lambda form: form.__name__)
def test_what_is_to_tidy_up_is_told_where_there_is_room(form: ModuleType) -> None:
    assert "of the baseline is mended" in form.written(known_audit()).replace("&#45;", "-")


def test_a_comment_folds_what_is_known_and_keeps_it_out_of_the_tables() -> None:
    told = markdown.written(known_audit(values.FINDING))
    new, known, rest = re.split(r"(?s)(<details><summary>= .*?</details>)", told, maxsplit=1)
    assert "2 known by the baseline" in known
    assert "PW201 read&#45;rows, read" in known
    assert "PW222 move&#45;row, write&#58; undecided" in known
    assert "public&#46;old" not in new + rest
    assert "public&#46;old" in known


def test_what_is_known_takes_no_room_from_what_is_new() -> None:
    found = known_audit(values.FINDING)
    long = replace(found.breaches[0], replay="b" * 3000)
    many = replace(found, breaches=(long,) * 100, known=found.known * 100)
    told = markdown.written(many)
    assert len(told) < markdown.LIMIT + 100
    assert "\n= 101 known by the baseline: in the whole report." in told


@pytest.mark.parametrize("report", [values.report(), FULL, PROBE], ids=["held", "audit", "probe"])
def test_each_format_is_written(report: Report | HttpReport) -> None:
    for form in Format:
        told = written(form, report, source="partywall.toml")
        assert told if isinstance(told, str) else callable(told)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("report.html", Format.HTML), ("x/y.SARIF", Format.SARIF), ("a.sarif.json", Format.SARIF),
        ("gl-code-quality-report.json", Format.GITLAB), ("out/report.json", Format.JSON),
        ("junit.xml", Format.JUNIT), ("pr.md", Format.MARKDOWN), ("report.txt", Format.TEXT),
        ("report", None), ("report.pdf", None),
    ],
)  # fmt: skip
def test_a_name_says_its_format(name: str, form: Format | None) -> None:
    assert by_name(PurePath(name)) is form


def test_every_format_but_annotations_has_an_ending() -> None:
    assert set(ENDINGS.values()) == set(Format) - {Format.GITHUB}


def test_the_how_to_names_every_format_with_its_endings() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "reports.md").read_text()
    rows = {form: next(line for line in page.splitlines() if f"| `{form}` |" in line)
            for form in Format}  # fmt: skip
    assert all(f"`{ending}`" in rows[form] for ending, form in ENDINGS.items())
