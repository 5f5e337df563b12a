"""What a report says of one operation: held only by proof."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from partywall.survey.http.outcomes import outcome, whole
from partywall.survey.http.report import HttpReport, Open, Tried
from partywall.survey.verdict import Excepted, Finding, Undecided, WitnessStep

if TYPE_CHECKING:
    from partywall.survey.verdict import State

AT = "GET /notes/{note_id}"
WITNESS = (
    WitnessStep("globex", "", "200\n{}", "curl -s http://api/notes/2"),
    WitnessStep("acme", "", "200\n{}", "curl -s http://api/notes/2 -H …"),
)
FINDING = Finding(
    "PW301", "others-id", "http", "read", AT, "acme", "globex", WITNESS,
    "acme was shown a canary", "look it up among its own", "https://docs/#others-id",
)  # fmt: skip
DOUBT = Undecided("PW300", "control", "read", AT, "its own tenant was answered 500")
EMPTY = HttpReport(
    (), (), (), (), (), (), (), {}, 0, "http://api", ("acme", "globex"), 1, {}, 0.0
)  # fmt: skip


def tried(state: State, because: str = "", at: str = AT) -> Tried:
    return Tried(at, "acme", "globex", "others-id", "note_id of globex", state, because)


@pytest.mark.parametrize(
    "report",
    [
        {"tried": (tried("held"),)},
        {"tried": (tried("held"), tried("closed"))},
        {"excepted": (Excepted(FINDING, "as meant"),)},
        {"public": (Open(AT, "nobody", "x", declared=True),)},
    ],
)
def test_held(report: dict[str, Any]) -> None:
    found = outcome(replace(EMPTY, **report), AT)
    assert (found.state, found.because) == ("held", "")
    assert whole(replace(EMPTY, **report)) == ""


@pytest.mark.parametrize(
    ("report", "because"),
    [
        ({}, "nothing proved that its own tenant is answered there"),
        ({"tried": (tried("held", at="GET /notes"),)}, "nothing proved"),
        ({"tried": (tried("undecided"),)}, "nothing proved"),
        ({"tried": (tried("held"), tried("undecided", "no answer"))}, "others-id: no answer"),
        ({"undecided": (DOUBT,), "tried": (tried("held"),)},
         "control: its own tenant was answered 500"),
        ({"public": (Open(AT, "nobody", "no credential is asked for"),)},
         "nobody may read it too: no credential is asked for."),
        ({"shared": (Open(AT, "globex", "its list has it"),)},
         f'If that is meant so, say it: [[public]] operation = "{AT}"'),
    ],
)  # fmt: skip
def test_undecided(report: dict[str, Any], because: str) -> None:
    found = outcome(replace(EMPTY, **report), AT)
    assert found.state == "undecided"
    assert because in found.because


def test_breached_with_all_that_shows_it() -> None:
    report = replace(EMPTY, findings=(FINDING,), undecided=(DOUBT,), tried=(tried("breached"),))
    found = outcome(report, AT)
    assert found.state == "breached"
    assert found.because.splitlines() == [
        f"{AT}: read by acme of what is globex's",
        "    acme was shown a canary (PW301 others-id)",
        "    globex: curl -s http://api/notes/2",
        "        200",
        "        {}",
        "    acme: curl -s http://api/notes/2 -H …",
        "        200",
        "        {}",
        "    mend: look it up among its own",
        "    see https://docs/#others-id",
    ]
    assert outcome(report, "GET /notes").state == "undecided"


def test_the_whole_has_every_breach_and_every_doubt_once() -> None:
    other = replace(DOUBT, at="GET /notes")
    report = replace(EMPTY, findings=(FINDING,), undecided=(DOUBT, other, other))
    assert whole(report).startswith(outcome(report, AT).because)
    assert whole(report).endswith(
        "\n\nGET /notes: undecided\n    control: its own tenant was answered 500"
    )
    assert whole(report, {"GET /notes"}) == outcome(report, AT).because
