"""What the turns of all tenants prove of one surface, and what they don't."""

from __future__ import annotations

import pytest

from partywall.survey.fleet.judging import judge
from partywall.survey.fleet.roster import Lodger
from partywall.survey.fleet.turn import Reached, Turn

AT = "public.orders"
PLACE = (AT, "read")
LODGERS = [Lodger(id_, id_, "app", "app", "postgresql://app@h/app", ()) for id_ in ("a", "b")]
THERE = frozenset({PLACE})
REACHED = (Reached(AT, "read-rows", "read", "b", "SELECT", "1"),)


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        (Turn("a", own=THERE), Turn("b", own=THERE), "held"),
        (Turn("a", closed=THERE), Turn("b", closed=THERE), "closed"),
        (Turn("a", own=THERE), Turn("b", closed=THERE), "held"),
        (Turn("a", own=THERE), Turn("b"), "undecided"),
        (Turn("a", own=THERE), Turn("b", failed={AT: "canceled"}), "undecided"),
        (Turn("a", failed={"": "no login"}), Turn("b", failed={"": "no login"}), "undecided"),
        (Turn("a", own=THERE, reached=REACHED), Turn("b", own=THERE), "breached"),
        (Turn("a", own=THERE, reached=REACHED), Turn("b"), "breached"),
    ],
)
def test_a_surface_is_what_its_worst_turn_says(first: Turn, second: Turn, state: str) -> None:
    judged = judge(LODGERS, {"a": first, "b": second}, [PLACE], {})
    assert judged.cells == {PLACE: state}
