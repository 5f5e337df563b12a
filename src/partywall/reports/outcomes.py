"""A survey as a suite of tests has it: one outcome a surface, each in words of its own."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from rich.console import Console

from partywall.reports import text
from partywall.reports.breaches import doubts, surfaces
from partywall.reports.matrix import owner
from partywall.survey.engine import WORST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from partywall.survey.attack import Effect
    from partywall.survey.verdict import Finding, Report, State

Ended: TypeAlias = "State | Literal['untried']"
"""`untried`: no attempt was made there."""

WIDTH = 100
DONE: Mapping[Effect, str] = {
    "read": "read", "write": "written", "destroy": "destroyed", "detect": "detected",
    "disrupt": "disrupted",
}  # fmt: skip
DOORS: Mapping[Effect, str] = {"escalate": "a way to more rights", "latent": "a latent breach"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended for one surface and its columns.

    Attributes:
        because: the breaches with their witnesses, why it is undecided, or the reasons for which
            it is accepted; its first line says it in short. "" where it is held.
    """

    at: str
    state: Ended
    because: str = ""


def outcomes(report: Report) -> list[Outcome]:
    """One outcome for each surface, in name order; a column belongs to its table."""
    found: dict[str, list[State]] = {at: [] for at in report.kinds}
    for (at, _), state in report.cells.items():
        found.setdefault(owner(at, report.kinds), []).append(state)
    made = []
    for at, states in sorted(found.items()):
        worst: Ended = max(states, key=WORST.index) if states else "untried"
        made.append(Outcome(at, worst, because(report, at, worst)))
    return made


def because(report: Report, at: str, state: Ended) -> str:
    """Why the surface *at* ended in *state*."""
    if state == "breached":
        here = [one for one in report.findings if owner(one.at, report.kinds) == at]
        return f"{at}: {_headline(here, report)}\n{_breaches(at, here, report)}"
    if state == "undecided":
        return f"{at}: undecided\n" + "\n".join(_doubts(report, at))
    return "\n".join(_accepted(report, at)) if state == "excepted" else ""


def _headline(findings: Iterable[Finding], report: Report) -> str:
    """``read and destroyed by another tenant, a latent breach``."""
    attackers: dict[Effect, set[str]] = {}
    for one in findings:
        attackers.setdefault(one.effect, set()).add(one.attacker)
    nobodies = {i.name for who, i in report.identities.items() if who in {"none", "empty"}}
    told: dict[str, list[Effect]] = {"by another tenant": [], "without any tenant": []}
    for effect in DONE:
        if by := attackers.get(effect):
            told["without any tenant" if by <= nobodies else "by another tenant"].append(effect)
    said = [f"{_listed([DONE[one] for one in done])} {by}" for by, done in told.items() if done]
    return ", ".join([*said, *(words for effect, words in DOORS.items() if effect in attackers)])


def _listed(words: Sequence[str]) -> str:
    """``read, written and destroyed``."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _breaches(at: str, findings: Iterable[Finding], report: Report) -> str:
    """The findings as the report for people shows them."""
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None)
    for alike in surfaces(findings):
        for broken in alike:
            text.surface(console, report, broken, verbose=True)
    shown = str(console.file.getvalue())  # type: ignore[attr-defined] # a StringIO
    return shown.strip("\n").removeprefix(f"{at}\n").rstrip()


def _doubts(report: Report, at: str) -> Iterator[str]:
    here = (one for one in report.undecided if owner(one.at, report.kinds) == at)
    for place, effects, reason in doubts(here):
        yield f"{place}, {', '.join(effects)}: {reason}"


def _accepted(report: Report, at: str) -> Iterator[str]:
    here = (one for one in report.excepted if owner(one.finding.at, report.kinds) == at)
    said = (
        f"accepted: {one.finding.name} at {one.finding.at}: {one.because}"
        + (f" (until {one.until})" if one.until else "")
        for one in here
    )
    yield from dict.fromkeys(said)
