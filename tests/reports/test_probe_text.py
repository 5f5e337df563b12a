"""A probe's report for people: what it says, how wide, how much."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partywall.reports.probe_matrix import codes
from partywall.reports.probe_witness import laid
from partywall.survey.http.report import HttpReport
from partywall.survey.verdict import Advice, Excepted, Undecided, WitnessStep
from tests.reports.probe_values import BOARD, COUNTRIES, FINDING, back, report, shown, tried

LONG = re.compile(r"https?://\S+|export .*")
ATTACKS = [
    "others-id", "id-in-body", "id-in-query", "widened-list", "wildcard-id", "spelled-id",
    "deleted-id", "foreign-owner", "id-taken-over", "method-override", "switched-tenant",
    "warm-cache",
]  # fmt: skip


def words(page: str) -> str:
    """The page without its layout."""
    return " ".join(page.split())


def test_a_breach_is_two_commands_with_both_answers() -> None:
    page = shown(report(FINDING))
    assert "1 breach of 1 operation" in page
    assert "✗ read  PW401 others-id  acme → globex" in page
    lines = [line.strip() for line in page.splitlines()]
    begin = lines.index("# as globex")
    assert lines[begin : begin + 8] == [
        "# as globex",
        'curl -sS -i http://127.0.0.1:8000/notes/7 -H "Authorization: $GLOBEX_AUTHORIZATION"',
        "#>  200 OK application/json",
        '#>  {"id": 7, "title": "pwg0a1b2c3d"}',
        "# as acme",
        'curl -sS -i http://127.0.0.1:8000/notes/7 -H "Authorization: $ACME_AUTHORIZATION"',
        "#>  200 OK application/json",
        '#>  {"id": 7, "title": "pwg0a1b2c3d"}',
    ]
    assert "fix look the note up together with the caller's tenant" in words(page)
    assert "see https://example.test/findings#others-id" in page


def test_how_the_variables_are_set_is_said_once() -> None:
    page = shown(report(FINDING, back()))
    assert page.count("export ACME_AUTHORIZATION='…'") == 1
    assert "export GLOBEX_AUTHORIZATION='…'  # the header Authorization of globex" in page
    cookie = WitnessStep("acme", "", "200", 'curl http://a -b "one=1; sid=$ACME_COOKIE_SID"')
    odd = shown(report(replace(FINDING, witness=(cookie,))))
    assert "export ACME_COOKIE_SID='…'  # the cookie sid of acme" in odd
    assert "export" not in shown(report(replace(FINDING, witness=())))
    told = replace(report(), shared=(replace(BOARD, witness=FINDING.witness),))
    assert shown(told).count("export ACME_AUTHORIZATION") == 1
    assert shown(replace(told, findings=(FINDING,))).count("export ACME_AUTHORIZATION") == 1


def test_both_directions_are_one_breach() -> None:
    page = shown(report(FINDING, back()))
    assert "1 breach of 1 operation" in page
    assert "acme → globex, also globex → acme" in page
    assert page.count("PW401") == 1


def test_further_ways_to_one_effect_are_a_line_each_unless_all_is_asked_for() -> None:
    other = replace(FINDING, code="PW403", name="id-in-body", because="the body's id counts")
    found = report(FINDING, other)
    assert "also PW403 id-in-body: the body's id counts" in words(shown(found))
    assert shown(found).count("# as acme") == 1
    assert shown(found, verbose=True).count("# as acme") == 2


def test_what_is_gained_most_stands_first() -> None:
    late = replace(FINDING, effect="detect", at="GET /a")
    page = shown(report(late, replace(FINDING, at="GET /z")))
    assert page.index("\nGET /z\n") < page.index("\nGET /a\n")


def test_what_is_open_is_said_loudly_with_the_lines_that_declare_it() -> None:
    found = replace(report(), public=(COUNTRIES, replace(COUNTRIES, at="GET /up", declared=True)))
    page = shown(replace(found, shared=(BOARD,)))
    assert "1 operation readable by anybody, without a credential" in page
    assert '  [[public]]\n  operation = "GET /countries"\n' in page
    assert "1 operation shown to another tenant by default" in page
    assert '  [[public]]\n  operation = "GET /boards/{id}"\n' in page
    assert "declared public\nGET /up" in page
    assert 'operation = "GET /up"' not in page
    assert "curl -sS -i http://127.0.0.1:8000/countries" in page
    assert "1 public and not declared, 1 shared and not declared" in words(page)


def test_doubts_acceptances_advice_and_omissions_each_have_their_place() -> None:
    because = '422 {"detail": "no such user"}'
    found = replace(
        report(every=(tried("PUT /log", "undecided", because="no user"), tried("GET /x"))),
        undecided=(
            Undecided("PW400", "control", "write", "PUT /log", because),
            Undecided("PW400", "control", "read", "PUT /log", because),
        ),
        excepted=(Excepted(FINDING, "agreed with both", "2027-06-30"),),
        advice=(Advice("PW490", "cache-control", "GET /x", "kept by all", "private", "https://x"),),
        left=("1 operation was left out: POST /reset (deny)",),
        killers=("GET /wipe",),
    )
    page = words(shown(found))
    assert f"1 undecided ? PUT /log write, read {because}" in page
    assert "~ GET /notes/{note_id} others-id, read agreed with both (until 2027-06-30)" in page
    assert "- GET /x PW490 cache-control kept by all private" in page
    assert "- 1 operation was left out: POST /reset (deny)" in page
    assert "- 1 of 2 attempts prove nothing: no user PUT /log 1 mode" in page
    assert 'deny = ["GET /wipe"]' in page
    assert page.endswith("but not all could be proven: 1 undecided, 1 accepted")


def test_what_the_baseline_knows_is_shown_apart_and_makes_no_verdict() -> None:
    found = replace(
        report(every=(tried(FINDING.at, "known"),)),
        known=(FINDING, back()),
        public=(replace(COUNTRIES, known=True),),
        remarks=("an exception ended",),
    )
    page = words(shown(found))
    assert "= known" in page
    assert "1 known breach = GET /notes/{note_id} read (others-id)" in page
    assert "without a credential: known, as in the baseline GET /countries" in page
    assert "to tidy up - an exception ended" in page
    assert page.endswith("✓ held nothing that the baseline doesn't know: 1 known")
    assert "declare it in partywall.toml" not in page


def test_all_that_was_not_attacked_is_listed_on_demand() -> None:
    every = tuple(
        tried(f"GET /x/{n}", "undecided", mode=f"m{n}", because=f"reason {n}") for n in range(12)
    )
    found = report(every=every)
    assert "4 more reasons: --verbose shows all" in shown(found)
    page = shown(found, verbose=True)
    assert all(f"reason {n}\n" in page for n in range(12))
    assert "acme → globex, others-id: m11" in page


@pytest.mark.parametrize(
    ("found", "last"),
    [
        (report(), "✓ held  nothing of one tenant reached the other"),
        (report(FINDING), "✗ breached  one tenant can reach the other: 1 breach of 1 operation"),
    ],
    ids=["held", "breached"],
)
def test_the_last_lines_are_the_numbers_and_the_verdict(found: HttpReport, last: str) -> None:
    lines = shown(found).splitlines()
    assert lines[-1] == last
    assert lines[-2] == "1,204 requests, 12 controls held, 12.3 s, seed 7"


def test_the_matrix_has_a_column_for_each_attack_and_says_which() -> None:
    every = tuple(tried("GET /notes", "held", attack) for attack in ATTACKS)
    deep = "GET /workspaces/{workspace_id}/projects/{project_id}/issues/{issue_id}/comments"
    found = report(every=(*every, tried(deep, "breached"), tried(deep, "closed", "warm-cache")))
    page = shown(found)
    head, notes, comments = page.splitlines()[3:6]
    assert head.split() == [
        "oi", "ib", "iq", "wl", "wi", "si", "di", "fo", "io", "mo", "st", "wc",
    ]  # fmt: skip
    assert notes == f"{'GET /notes':{head.index('oi')}}" + "  ".join(" ✓" for _ in ATTACKS).replace(
        "   ", "  "
    )
    assert comments.startswith("GET …")
    assert "/issues/{issue_id}/comments" in comments
    assert comments.index("✗") == head.index("oi") + 1
    assert comments.index("·") == head.index("wc") + 1
    for attack in ATTACKS:
        assert f" {attack}" in page


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("many", [1, 12, 25])
def test_every_line_fits_and_nothing_needs_colour(width: int, many: int) -> None:
    names = [*ATTACKS, *(f"further-attack-{n}" for n in range(20))][:many]
    every = tuple(
        tried(f"PATCH /organisations/{{organisation_id}}/things/{{id}}/{n}", "held", name)
        for n in range(5)
        for name in names
    )
    page = shown(report(replace(FINDING, because="why " * 60), every=every), width=width)
    assert "\x1b" not in page
    assert max(len(LONG.sub("", line)) for line in page.splitlines()) <= width
    assert not [line for line in page.splitlines() if line != line.rstrip()]


def test_many_that_held_are_one_row_unless_all_is_asked_for() -> None:
    every = (*(tried(f"GET /x/{n}") for n in range(60)), tried("GET /bad", "undecided"))
    found = report(every=every)
    assert "… 60 operations held" in shown(found)
    assert "GET /x/7 " not in shown(found)
    assert "GET /x/59 " in shown(found, verbose=True)


def test_nothing_to_attack_is_said() -> None:
    assert "No operation could be attacked." in shown(replace(report(), tried=()))


@given(st.lists(st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True), unique=True, max_size=25))
@settings(max_examples=30, deadline=None)
def test_short_names_differ(names: list[str]) -> None:
    for room in (20, 200):
        short = codes(names, room)
        assert len(set(short.values())) == len(names) == len(short)


@given(st.lists(st.text(max_size=30).filter(lambda t: "\\\n" not in t), min_size=1, max_size=8))
def test_a_command_in_lines_says_the_same(parts: list[str]) -> None:
    command = " ".join(["curl", *(f"-H {shlex.quote(part)}" for part in parts)])
    there = "\n".join(laid(command, 40)).replace("\\\n", "\n")
    assert shlex.split(there) == shlex.split(command)


def test_brackets_in_what_came_back_are_no_markup() -> None:
    odd = (WitnessStep("acme", "", "[bold]x[/bold]", "curl 'http://a/[red]'"),)
    page = shown(report(replace(FINDING, witness=odd)))
    assert "#>  [bold]x[/bold]" in page
    assert "curl 'http://a/[red]'" in page
