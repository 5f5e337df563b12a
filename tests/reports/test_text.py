"""The report for people: what it says, how wide, how much."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from partywall.reports import text
from partywall.survey.verdict import Advice, Excepted, Report, Undecided, WitnessStep
from tests.reports.values import FINDING, GLOBEX, on, report, shown

URL = re.compile(r"https://\S+")
UNDECIDED = Undecided("PW222", "move-row", "write", "public.log", "no row could be planted")


def words(page: str) -> str:
    """The page without its layout."""
    return " ".join(page.split())


def test_a_breach_shows_who_what_why_the_mend_and_where_to_read_on() -> None:
    page = words(shown(report(FINDING)))
    assert "1 breach of 1 surface" in page
    assert "public.invoices ✗ read PW201 read-rows acme → globex" in page
    assert "-- as acme SELECT * FROM public.invoices;" in page
    assert f"--> {GLOBEX}, 120.00" in page
    assert "fix ALTER TABLE public.invoices FORCE ROW LEVEL SECURITY;" in page
    assert "see https://example.test/findings#read-rows" in page


def test_every_word_survives_without_colour_and_in_80_columns() -> None:
    long = replace(
        FINDING,
        at="public.a_function_with_a_long_name(uuid, text, timestamp with time zone)",
        fix="compare the tenant column with the context in every permissive policy " * 3,
        witness=(WitnessStep("acme", f"SELECT {', '.join('column_' * 9)}", "x" * 30 + " y" * 80),),
    )
    page = shown(report(long))
    assert "\x1b" not in page
    assert max(len(URL.sub("", line)) for line in page.splitlines()) <= 80
    assert not [line for line in page.splitlines() if line != line.rstrip()]


def test_a_fix_that_only_looks_like_sql_is_set_as_a_sentence() -> None:
    fix = "ALTER POLICY own ON public.invoices USING (org_id = the context, of the column's type)"
    page = shown(report(replace(FINDING, fix=fix)))
    assert f"fix {fix} see" in words(page)
    assert max(len(URL.sub("", line)) for line in page.splitlines()) <= 80


def test_the_same_through_several_contexts_is_one_breach() -> None:
    strangers = [replace(FINDING, attacker=name) for name in ("anonymous", "empty context")]
    page = words(shown(report(*strangers, FINDING)))
    assert "1 breach of 1 surface" in page
    assert "acme → globex, also with an empty context and with no context at all" in page
    assert page.count("PW201") == 1


def test_without_a_tenant_s_own_the_empty_context_speaks() -> None:
    strangers = [replace(FINDING, attacker=name) for name in ("anonymous", "empty context")]
    page = words(shown(report(*strangers)))
    assert "empty context → globex, also with no context at all" in page


def test_further_ways_to_one_effect_are_a_line_each_unless_all_is_asked_for() -> None:
    other = replace(FINDING, code="PW219", name="copy-and-cursors", because="by COPY")
    found = report(FINDING, other)
    assert "also PW219 copy-and-cursors: by COPY" in words(shown(found))
    assert shown(found).count("-- as acme") == 1
    assert shown(found, verbose=True).count("-- as acme") == 2


def test_surfaces_breached_in_the_same_ways_are_named_once_there_are_many() -> None:
    found = report(*(on(f"public.table_{n:02}") for n in range(20)))
    page = shown(found)
    assert page.count("-- as acme") == 3
    assert "17 more surfaces were breached in the same ways" in words(page)
    assert "public.table_19" in page
    assert shown(found, verbose=True).count("-- as acme") == 20


def test_the_order_is_by_what_is_gained() -> None:
    late, early = replace(FINDING, effect="detect", at="public.a"), on("public.z")
    page = shown(report(late, early))
    assert page.index("\npublic.z\n") < page.index("\npublic.a\n")


def test_doubts_acceptances_advice_and_omissions_each_have_their_place() -> None:
    found = replace(
        report(),
        undecided=(UNDECIDED, replace(UNDECIDED, effect="destroy")),
        excepted=(Excepted(FINDING, "agreed with both", "2027-06-30"),),
        advice=tuple(
            Advice("PW301", "init-plan", f"public.t{n}", "once a row", "use SELECT", "https://x")
            for n in range(3)
        ),
        left=("injections were not tried: --attacker sql",),
    )
    page = words(shown(found))
    assert "1 undecided ? public.log write, destroy no row could be planted" in page
    assert "~ public.invoices read-rows, read agreed with both (until 2027-06-30)" in page
    assert "advice, no part of the verdict - public.t0 PW301 init-plan" in page
    assert "likewise public.t1, public.t2" in page
    assert "not tried - injections were not tried: --attacker sql" in page
    assert page.endswith("but not all could be tested: 1 undecided, 1 accepted")


def test_what_the_baseline_knows_is_shown_apart_and_makes_no_verdict() -> None:
    found = replace(
        report(cells={(FINDING.at, "read"): "known"}),
        known=(FINDING, replace(FINDING, attacker="anonymous")),
        known_undecided=(UNDECIDED,),
        remarks=("1 of the baseline is mended: read public.a",),
    )
    page = words(shown(found))
    assert "~ accepted = known 1 known breach = public.invoices read (read-rows)" in page
    assert "1 undecided, as in the baseline ? public.log write no row could be planted" in page
    assert "to tidy up - 1 of the baseline is mended: read public.a" in page
    assert page.endswith("✓ held nothing that the baseline doesn't know: 2 known")
    assert "= known" not in shown(report())


@pytest.mark.parametrize(
    ("found", "last"),
    [
        (report(), "✓ held  nothing of one tenant reached the other"),
        (report(FINDING), "✗ breached  one tenant can reach the other: 1 breach of 1 surface"),
    ],
    ids=["held", "breached"],
)
def test_the_last_line_is_the_verdict(found: Report, last: str) -> None:
    lines = shown(found).splitlines()
    assert lines[-1] == last
    assert lines[-2] == "30 attempts, 12 controls held, 1.2 s, copy; PostgreSQL 15.20"


def test_on_the_target_no_row_is_said_to_be_of_a_copy() -> None:
    found = replace(report(FINDING), place="target")
    assert "on the target itself, everything rolled back" in words(shown(found))
    assert "stood on the copy" not in words(shown(found))


def coloured(no_colour: str | None) -> str:
    page = StringIO()
    environment = {"TERM": "xterm-256color"} | ({"NO_COLOR": no_colour} if no_colour else {})
    console = Console(file=page, force_terminal=True, width=80, _environ=environment)
    text.show(report(FINDING), console)
    return page.getvalue()


def test_a_terminal_gets_colours_and_the_victim_s_data_stands_out() -> None:
    assert re.search(rf"\x1b\[1;31m{GLOBEX}\x1b\[0m", coloured(None))


def test_no_color_is_honoured() -> None:
    assert not re.search(r"\x1b\[[\d;]*3[0-7]", coloured("1"))


def test_brackets_in_what_came_back_are_no_markup() -> None:
    odd = replace(FINDING, witness=(WitnessStep("acme", "SELECT '[red]'", "[bold]x[/bold]"),))
    page = shown(report(odd))
    assert "SELECT '[red]';" in page
    assert "--> [bold]x[/bold]" in page
