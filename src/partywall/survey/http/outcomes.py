"""What a report says of one operation, in words for a suite of tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from partywall.survey.http.report import HttpReport
    from partywall.survey.verdict import Finding, WitnessStep

Held: TypeAlias = Literal["held", "breached", "undecided"]

PROOF = frozenset({"held", "closed", "excepted", "breached"})
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended for one operation.

    Attributes:
        because: the breaches with their witnesses, or why it is undecided; "" where it is held.
    """

    at: str
    state: Held
    because: str = ""


def outcome(report: HttpReport, at: str) -> Outcome:
    """What *report* says of the operation *at*; held only by proof."""
    if broken := [told(one) for one in report.findings if one.at == at]:
        return Outcome(at, "breached", "\n\n".join(broken))
    if reasons := list(dict.fromkeys(_doubts(report, at))):
        return Outcome(at, "undecided", "\n".join(reasons))
    known = (
        any(one.at == at and one.state in PROOF for one in report.tried)
        or any(one.finding.at == at for one in report.excepted)
        or any(one.at == at for one in (*report.public, *report.shared))
    )
    if known:
        return Outcome(at, "held")
    return Outcome(at, "undecided", "nothing proved that its own tenant is answered there")


def whole(report: HttpReport, decided: Collection[str] = ()) -> str:
    """Every breach with its witnesses, then what is undecided; "" where all is held.

    Doubts about the operations *decided* are left out.
    """
    listed = (report.undecided, report.public, report.shared, report.tried)
    places = dict.fromkeys(one.at for each in listed for one in each)
    broken = {one.at for one in report.findings}
    doubts = {at: reasons(report, at) for at in places if at not in broken | {*decided}}
    undecided = [f"{at}: undecided\n{_indented(why)}" for at, why in doubts.items() if why]
    return "\n\n".join([*(told(one) for one in report.findings), *undecided])


def reasons(report: HttpReport, at: str) -> str:
    """Why *at* is undecided; "" where it isn't."""
    return "\n".join(dict.fromkeys(_doubts(report, at)))


def told(finding: Finding) -> str:
    """One breach: what came through, how to see it again, and the mend."""
    lines = [
        f"{finding.at}: {finding.effect} by {finding.attacker} of what is {finding.victim}'s",
        f"{finding.because} ({finding.code} {finding.name})",
        *(_step(one) for one in finding.witness),
        f"mend: {finding.fix}" if finding.fix else "",
        f"see {finding.url}" if finding.url else "",
    ]
    first, *rest = [line for line in lines if line]
    return "\n".join([first, *(_indented(line) for line in rest)])


def _doubts(report: HttpReport, at: str) -> Iterator[str]:
    for one in report.undecided:
        if one.at == at:
            yield f"{one.name}: {one.because}"
    for each in (*report.public, *report.shared):
        if each.at == at and not each.declared:
            yield (
                f"{each.to} may read it too: {each.because}. If that is meant so, say it: "
                f'[[public]] operation = "{at}"'
            )
    for tried in report.tried:
        if tried.at == at and tried.state == "undecided" and tried.because:
            yield f"{tried.attack}: {tried.because}"


def _step(step: WitnessStep) -> str:
    return f"{step.actor}: {step.request or step.sql}\n{_indented(step.returned)}"


def _indented(text: str) -> str:
    return "\n".join(INDENT + line for line in text.splitlines())
