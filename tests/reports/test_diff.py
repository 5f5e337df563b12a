"""A difference between two surveys, for people and for programs."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from partywall.reports import diff_json, diff_markdown, diff_text
from partywall.reports.style import console_on
from partywall.survey.difference import Difference, Doubt, Drift, Weakened
from partywall.survey.verdict import Undecided
from tests.reports import probe_values
from tests.reports.test_json import objects
from tests.reports.values import FINDING, on

DOUBT = Undecided("PW299", "no-attack", "write", "public.inbox", "no attack covers it")
CHECK = replace(FINDING, code="PW101", layer="catalog", witness=(), at="role app")
NONE = Difference("db/old", "db/new")
FULL = Difference(
    "db/old",
    "db/new",
    weakened=(
        Weakened(FINDING, "held"),
        Weakened(replace(FINDING, attacker="anonymous"), "held"),
        Weakened(replace(FINDING, code="PW219", name="copy-and-cursors"), "held"),
        Weakened(on("public.b"), "undecided", "no row could be planted"),
        Weakened(CHECK, "not tried"),
    ),
    accepted=(Weakened(on("public.c"), "not there"),),
    undecided=(Doubt(DOUBT, "not there"),),
    mended=(on("public.d"), replace(on("public.d"), attacker="anonymous")),
    added=("public.inbox",),
    removed=tuple(f"public.t{number}" for number in range(20)),
    drift=(Drift("public.invoices", ("row security",), ("policy open: ALL to public",)),),
    remarks=("made otherwise",),
)


def shown(found: Difference, *, verbose: bool = False) -> str:
    page = StringIO()
    diff_text.show(found, console_on(page, width=90), verbose=verbose)
    return page.getvalue()


def test_it_says_what_works_now_how_it_stood_before_and_how_to_mend_it() -> None:
    text = " ".join(shown(FULL).split())
    assert "public.invoices ✗ read PW201 read-rows acme → globex, also with no context" in text
    assert "before held: this failed there, and the rightful tenant's own attempt succ" in text
    assert "SELECT * FROM public.invoices; --> 22222222" in text
    assert "fix ALTER TABLE public.invoices FORCE ROW LEVEL SECURITY" in text
    assert "before undecided: no row could be planted" in text
    assert "before the check found nothing there" in text
    assert "4 ways through walls: weakened" in text
    assert "1 way through walls: weakened, and accepted by the configuration" in text


def test_it_says_what_else_changed() -> None:
    text = shown(FULL)
    assert "? public.inbox  write  before: not there\n    no attack covers it" in text
    assert "1 way mended\n✓ public.d  read (read-rows)\n" in text
    assert "public.t11 and 8 more (--verbose)" in " ".join(text.split())
    assert "public.invoices\n  - row security\n  + policy open: ALL to public\n" in text
    assert "- made otherwise" in text
    last = " ".join(text.split("\n\n")[-1].split())
    assert last == (
        "✗ weakened the change weakened a wall: 4 weakened, 1 weakened and accepted, 1 "
        "undecided, 1 mended"
    )


def test_verbose_shows_every_witness_and_every_name() -> None:
    assert "also PW219 copy-and-cursors" in shown(FULL)
    whole = shown(FULL, verbose=True)
    assert "also PW219" not in whole
    assert whole.count("SELECT * FROM public.invoices;") == shown(FULL).count("SELECT *") + 1
    assert "public.t19" in whole


def test_without_any_difference_it_is_two_lines() -> None:
    assert shown(NONE) == (
        "partywall diff db/old → db/new\n\n✓ held  no wall is weaker than it was\n"
    )


def test_requests_to_an_api_stand_as_they_are() -> None:
    finding = probe_values.FINDING
    text = shown(Difference("api", "api", (Weakened(finding, "held"),)))
    assert finding.witness[0].request in text


def test_the_document_follows_its_schema() -> None:
    schema = diff_json.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    api = Difference("api", "api", (Weakened(probe_values.FINDING, "held"),))
    for found in (NONE, FULL, api):
        jsonschema.Draft202012Validator(schema).validate(diff_json.report(found))
    for part in objects(schema):
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])


def test_the_document_says_how_each_wall_stood() -> None:
    document = diff_json.report(FULL)
    assert document["verdict"] == "breached"
    assert [one["before"] for one in document["weakened"]] == [
        "held", "held", "held", "undecided", "not tried",
    ]  # fmt: skip
    assert document["undecided"][0]["undecided"]["at"] == "public.inbox"
    assert document["drift"][0]["gone"] == ["row security"]


def test_markdown_for_a_pull_request() -> None:
    page = diff_markdown.written(FULL)
    assert page.startswith("## ✗ partywall diff: weakened\n\n<code>db/old</code> → ")
    assert '| <code>public&#46;invoices</code> | read | <a href="https://' in page
    assert "| undecided&#58; no row could be planted |" in page
    assert "-- as acme\nSELECT * FROM public.invoices;\n--&gt; 22222222" in page
    assert "public.invoices\n- row security\n+ policy open: ALL to public" in page
    assert "- <code>public&#46;inbox</code> write, before: not there." in page
    assert page.count("<details>") == page.count("</details>") == 6
    assert len(diff_markdown.written(NONE).strip().splitlines()) == 3


@given(st.text(max_size=60))
def test_no_name_becomes_markdown(name: str) -> None:
    odd = f"*{name}*|@all#1`<b>[x](y)_z_"
    finding = replace(FINDING, because=odd, attacker=odd)
    drift = (Drift(odd, (), (f"```\n{odd}",)),)
    page = diff_markdown.written(
        Difference(odd, odd, (Weakened(on(odd, finding), "held"),), drift=drift)
    )
    outside = re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL)
    assert not set("*`[]@_") & set(outside)
    assert "<b>" not in outside
    rows = [line for line in page.splitlines() if line.startswith("| <code>")]
    assert [line.count("|") for line in rows] == [5]


def test_much_of_it_still_fits_a_comment() -> None:
    many = tuple(Weakened(on(f"public.table_with_a_name_{n}"), "held") for n in range(500))
    page = diff_markdown.written(replace(FULL, weakened=many, added=FULL.removed * 100))
    assert len(page) < 65_536
    assert "450 more in the text." in page
