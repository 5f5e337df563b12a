"""What a change did to the walls, from two surveys of which each says how they stood."""

from __future__ import annotations

from dataclasses import replace

import pytest

from partywall.errors import ConfigurationError
from partywall.survey.difference import Doubt, Drift, Weakened, difference
from partywall.survey.standing import standing
from partywall.survey.verdict import Excepted, State, Undecided
from tests.reports import probe_values
from tests.reports.values import FINDING, on, report

AT = FINDING.at
DOUBT = Undecided("PW201", "read-rows", "read", AT, "no row could be planted")
HELD, BREACHED = standing(report()), standing(report(FINDING))


@pytest.mark.parametrize("one", [HELD, BREACHED, standing(replace(report(), undecided=(DOUBT,)))])
def test_nothing_changed_is_no_difference(one: object) -> None:
    found = difference(one, one)  # type: ignore[arg-type]  # standings
    assert found == replace(found, weakened=(), undecided=(), mended=(), added=(), drift=())
    assert found.verdict == "held"


@pytest.mark.parametrize("state", ["held", "closed"])
def test_what_works_now_and_did_not_is_weakened(state: State) -> None:
    old = standing(report(cells={(AT, "read"): state}))
    found = difference(old, BREACHED)
    assert found.weakened == (Weakened(FINDING, state),)
    assert found.verdict == "breached"


def test_what_was_undecided_before_says_why() -> None:
    old = standing(replace(report(cells={(AT, "read"): "undecided"}), undecided=(DOUBT,)))
    assert difference(old, BREACHED).weakened == (
        Weakened(FINDING, "undecided", "no row could be planted"),
    )


def test_a_surface_that_is_new_and_breached_is_weakened() -> None:
    new = on("public.fresh")
    found = difference(HELD, standing(report(new)))
    assert found.weakened == (Weakened(new, "not there"),)
    assert found.added == ("public.fresh",)


def test_what_no_attempt_could_be_made_of_before_says_so() -> None:
    write = replace(FINDING, code="PW224", effect="write")
    assert difference(HELD, standing(report(write))).weakened == (Weakened(write, "not tried"),)


def test_what_was_breached_accepted_or_known_before_is_not_weakened() -> None:
    for old in (
        report(FINDING),
        replace(report(), known=(FINDING,)),
        replace(report(), excepted=(Excepted(FINDING, "agreed"),)),
    ):
        assert difference(standing(old), BREACHED).verdict == "held"


def test_what_is_known_or_accepted_now_is_weakened_all_the_same_and_acceptance_is_told() -> None:
    known = difference(HELD, standing(replace(report(), known=(FINDING,))))
    assert known.verdict == "breached"
    accepted = difference(HELD, standing(replace(report(), excepted=(Excepted(FINDING, "x"),))))
    assert (accepted.verdict, accepted.accepted) == ("held", (Weakened(FINDING, "held"),))


def test_what_is_mended() -> None:
    found = difference(BREACHED, HELD)
    assert (found.verdict, found.mended) == ("held", (FINDING,))


def test_what_can_t_be_told_any_more_is_neither_held_nor_mended() -> None:
    new = standing(replace(report(cells={(AT, "read"): "undecided"}), undecided=(DOUBT,)))
    for old, before in ((HELD, "held"), (BREACHED, "breached")):
        found = difference(old, new)
        assert (found.verdict, found.mended) == ("undecided", ())
        assert found.undecided == (Doubt(DOUBT, before),)  # type: ignore[arg-type]  # a state


def test_a_new_surface_without_cover_is_undecided() -> None:
    doubt = replace(DOUBT, code="PW299", at="public.inbox")
    found = difference(HELD, standing(replace(report(), undecided=(doubt,))))
    assert (found.verdict, found.undecided) == ("undecided", (Doubt(doubt, "not there"),))


def test_a_table_that_nothing_calls_a_tenant_s_any_more_is_undecided() -> None:
    walls = {AT: ("app may SELECT",)}
    old = replace(HELD, walls=walls)
    new = replace(old, owned=frozenset(), cells={})
    found = difference(old, new)
    assert found.verdict == "undecided"
    assert [(one.undecided.at, one.before) for one in found.undecided] == [(AT, "held")]
    dropped = replace(new, walls={})
    assert difference(old, dropped).verdict == "held"
    assert difference(old, dropped).removed == (AT,)


def test_what_the_catalog_says_otherwise() -> None:
    old = replace(HELD, walls={AT: ("row security", "app may SELECT"), "role app": ("superuser",)})
    new = replace(HELD, walls={AT: ("app may SELECT", "policy open: ALL to public using (true)")})
    found = difference(old, new)
    assert found.verdict == "held"
    assert found.drift == (
        Drift(AT, ("row security",), ("policy open: ALL to public using (true)",)),
        Drift("role app", ("superuser",), ()),
    )


def test_two_that_were_made_otherwise_are_compared_with_a_remark() -> None:
    found = difference(HELD, standing(replace(report(), attacker="sql", walls={"x": ("y",)})))
    assert "query on copy" in found.remarks[0]
    assert "no facts of the catalog" in found.remarks[1]


def test_operations_of_an_api_are_compared_by_attack() -> None:
    finding = probe_values.FINDING
    tried = (probe_values.tried(finding.at, "held", finding.name),)
    old = standing(probe_values.report(every=tried))
    new = standing(probe_values.report(finding))
    assert difference(old, new).weakened == (Weakened(finding, "held"),)
    assert difference(new, old).mended == (finding,)


def test_a_database_and_an_api_are_not_compared() -> None:
    with pytest.raises(ConfigurationError, match="compare two of one kind"):
        difference(HELD, standing(probe_values.report()))
