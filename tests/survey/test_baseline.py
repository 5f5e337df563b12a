"""What is new beside a baseline, what is known, and what of it is mended."""

from __future__ import annotations

from dataclasses import replace

from partywall.survey.baseline import Baseline, Entry, baseline, compared
from partywall.survey.http.report import Open
from partywall.survey.verdict import Excepted, Fleet, Undecided
from tests.reports import probe_values
from tests.reports.values import FINDING, report

WRITE = replace(FINDING, code="PW224", name="change-row", effect="write")
NOBODY = replace(FINDING, attacker="anonymous")
DOUBT = Undecided("PW222", "move-row", "write", "public.log", "a trigger refuses")
ENTRY = Entry(FINDING.at, "read", "PW201", "read-rows", "tenant")
KNOWN = baseline(report(FINDING))


def test_what_is_known_is_held_apart_and_makes_no_verdict() -> None:
    found = compared(report(FINDING), KNOWN)
    assert (found.verdict, found.findings, found.known) == ("held", (), (FINDING,))
    assert found.cells[FINDING.at, "read"] == "known"
    assert found.remarks == ()


def test_it_is_known_whoever_of_the_tenants_attacks_and_whatever_came_back() -> None:
    again = replace(FINDING, attacker="globex", victim="acme", witness=(), because="other words")
    assert compared(report(again), KNOWN).verdict == "held"


def test_another_effect_on_a_known_surface_is_new() -> None:
    found = compared(report(FINDING, WRITE), KNOWN)
    assert (found.verdict, found.findings, found.known) == ("breached", (WRITE,), (FINDING,))
    assert found.cells[FINDING.at, "write"] == "breached"


def test_another_way_to_a_known_effect_is_new_and_so_is_what_takes_no_tenant() -> None:
    other = replace(FINDING, code="PW219", name="copy-and-cursors")
    found = compared(report(FINDING, other, NOBODY), KNOWN)
    assert (found.findings, found.known) == ((other, NOBODY), (FINDING,))
    assert found.cells[FINDING.at, "read"] == "breached"


def test_what_was_undecided_stays_so_and_what_was_held_fails() -> None:
    before = replace(report(), undecided=(DOUBT,))
    same = compared(replace(before, undecided=(replace(DOUBT, because="other words"),)), KNOWN)
    assert (same.verdict, len(same.undecided)) == ("undecided", 1)
    known = compared(before, baseline(before))
    assert (known.verdict, known.undecided, known.known_undecided) == ("held", (), (DOUBT,))


def test_what_is_breached_in_the_baseline_and_undecided_now_fails_and_is_not_mended() -> None:
    doubt = Undecided("PW201", "read-rows", "read", FINDING.at, "no row could be planted")
    found = compared(replace(report(), undecided=(doubt,)), KNOWN)
    assert found.verdict == "undecided"
    assert found.remarks == ()


def test_what_is_mended_is_said_so_that_it_can_t_come_back_unseen() -> None:
    before = replace(report(FINDING, WRITE), undecided=(DOUBT,))
    found = compared(report(WRITE), baseline(before))
    assert found.verdict == "held"
    assert found.remarks == (
        "1 of the baseline is mended: read public.invoices; --update-baseline writes it anew",
        "1 of the baseline is decided: write public.log; --update-baseline writes it anew",
    )


def test_what_an_attack_is_called_by_now_makes_no_difference() -> None:
    renamed = compared(report(replace(FINDING, name="look-at-rows")), KNOWN)
    assert (renamed.verdict, renamed.remarks) == ("held", ())


def test_many_that_are_mended_are_counted() -> None:
    many = [replace(FINDING, at=f"public.t{number}") for number in range(5)]
    [said] = compared(report(), baseline(report(*many))).remarks
    assert said.startswith("5 of the baseline are mended: read public.t0, read public.t1, read ")
    assert "public.t2 and 2 more;" in said


def test_what_the_configuration_accepts_needs_no_baseline() -> None:
    accepted = replace(report(), excepted=(Excepted(FINDING, "agreed"),))
    assert baseline(accepted).breached == ()
    assert "1 of the baseline is accepted by the configuration" in " ".join(
        compared(accepted, KNOWN).remarks
    )


def test_a_survey_that_tries_less_mends_nothing() -> None:
    [said] = compared(replace(report(), attacker="sql"), KNOWN).remarks
    assert "query on copy" in said
    assert "sql on copy" in said
    assert "mended" not in said


def test_a_survey_of_every_tenant_is_another_than_one_of_two() -> None:
    [said] = compared(replace(report(), fleet=Fleet(3, 6, 3)), KNOWN).remarks
    assert "query on copy, every tenant" in said


def test_writing_it_anew_keeps_what_was_known() -> None:
    found = compared(report(FINDING, WRITE), KNOWN)
    assert set(baseline(found).breached) == {
        ENTRY, replace(ENTRY, effect="write", code="PW224", name="change-row"),
    }  # fmt: skip


def test_an_entry_stands_for_what_it_was_made_of() -> None:
    for one in (FINDING, WRITE, NOBODY):
        whole = report(one)
        assert compared(whole, baseline(whole)).known == (one,)


def test_an_operation_of_an_api_is_known_by_its_worst_and_shown_as_such() -> None:
    finding = probe_values.FINDING
    every = (probe_values.tried(finding.at, "breached"), probe_values.tried("PUT /log", "breached"))
    whole = probe_values.report(finding, every=every)
    found = compared(whole, baseline(whole))
    assert (found.verdict, found.known) == ("held", (finding,))
    assert [one.state for one in found.tried] == ["known", "breached"]
    worse = replace(finding, effect="destroy")
    found = compared(probe_values.report(worse, every=every), baseline(whole))
    assert (found.verdict, found.findings) == ("breached", (worse,))
    assert found.tried[0].state == "breached"


def test_what_an_api_opens_to_all_is_known_once_it_is_in_the_baseline() -> None:
    board, news = (Open(at, "nobody", "no credential") for at in ("GET /board", "GET /news"))
    before = replace(probe_values.report(), public=(board,))
    after = replace(probe_values.report(), public=(board, news))
    assert compared(before, baseline(before)).verdict == "held"
    found = compared(after, baseline(before))
    assert found.verdict == "undecided"
    assert [one.known for one in found.public] == [True, False]
    shared = replace(probe_values.report(), shared=(board,))
    assert compared(shared, baseline(before)).verdict == "undecided"


def test_a_baseline_of_nothing_knows_nothing() -> None:
    empty = Baseline("audit", "query on copy")
    assert compared(report(FINDING), empty).findings == (FINDING,)
