"""What every report tells of a layer beside database and API."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from partywall.reports.overview import Breach, Doubt, Row, also, complete, merged, reasons, together
from partywall.reports.style import number
from partywall.reports.text import nothing_new
from partywall.reports.witness import is_sql, pasted
from partywall.survey.engine import WORST
from partywall.survey.explaining.further import effects
from partywall.survey.http.hiding import variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from partywall.survey.attack import Effect
    from partywall.survey.layers import LayerReport
    from partywall.survey.verdict import Finding, State, Undecided, Verdict, WitnessStep

LITERAL = re.compile(r"'[^']*'")
NAMED = re.compile(r"\$\{?([A-Z_][A-Z0-9_]*)")
VERDICTS: Mapping[Verdict, str] = {
    "held": "nothing of one tenant reached the other",
    "breached": "one tenant can reach the other",
    "undecided": "nothing was breached, but not all could be proven",
}


def breaches(found: Iterable[Finding]) -> tuple[Breach, ...]:
    """One for each surface, way and effect, whoever did it."""
    return tuple(_breach(same) for same in together(found))


def _breach(same: list[Finding]) -> Breach:
    first = same[0]
    named = {who for one in same for who in (one.attacker, one.victim)}
    return Breach(
        first,
        also(same),
        tuple(sorted(named - {"nobody"})),
        first.effect,
        replay=pasted(first.witness),
        sql=is_sql(first.fix),
    )


def doubts(undecided: Iterable[Undecided]) -> tuple[Doubt, ...]:
    """One for each surface, way and effect, with all its reasons."""
    return tuple(merged(undecided))


def matrix(report: LayerReport) -> dict[str, dict[str, State]]:
    """Surface -> attack -> the worst of all its directions."""
    found: dict[str, dict[str, State]] = {}
    for one in report.tried:
        cells = found.setdefault(one.at, {})
        cells[one.attack] = max(cells.get(one.attack, one.state), one.state, key=WORST.index)
    return found


def rows(report: LayerReport) -> Iterator[Row]:
    """Surfaces by effect."""
    usual = effects()
    known: list[Breach | Doubt] = [*breaches(report.known), *doubts(report.known_undecided)]
    cells: dict[str, dict[str, State]] = {}
    who: dict[str, set[str]] = {}
    open_ = doubts(report.undecided)
    why = reasons(open_, known)
    achieved: dict[tuple[str, str], set[Effect]] = {}
    for finding in (*report.findings, *report.known, *(e.finding for e in report.excepted)):
        achieved.setdefault((finding.at, finding.name), set()).add(finding.effect)
    for one in report.tried:
        there = cells.setdefault(one.at, {})
        for effect in achieved.get((one.at, one.attack)) or {usual.get(one.attack, "read")}:
            there[effect] = max(there.get(effect, one.state), one.state, key=WORST.index)
            if one.state == "undecided" and one.because:
                why[one.at].setdefault(effect, one.because)
        who.setdefault(one.at, set()).update({one.attacker, one.victim} - {"nobody"})
    complete(cells, breaches(report.findings), open_, known)
    for exception in report.excepted:
        cells.setdefault(exception.finding.at, {}).setdefault(exception.finding.effect, "excepted")
        why[exception.finding.at].setdefault(exception.finding.effect, exception.because)
    for at, states in cells.items():
        yield Row(
            at, at, report.layer, report.layer, states, tuple(sorted(who.get(at, ()))),
            why.get(at, {}),
        )  # fmt: skip


def summary(report: LayerReport) -> str:
    """What the verdict means, with its numbers."""
    found = breaches(report.findings)
    places = len({one.at for one in found})
    counts = [
        f"{number(len(found), 'breach', 'breaches')} of {number(places, 'surface')}",
        f"{len(doubts(report.undecided))} undecided",
        f"{len(breaches(report.known)) + len(doubts(report.known_undecided))} known",
        f"{len(report.excepted)} accepted",
    ]
    told = ", ".join(one for one in counts if not one.startswith("0 "))
    meaning = nothing_new(report) or VERDICTS[report.verdict]
    return f"{meaning}{': ' + told if told else ''}"


def variables(steps: Iterable[WitnessStep], tenants: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The commands that set the variables that witnesses take, each with whose they are."""
    named = {
        name for step in steps for name in NAMED.findall(LITERAL.sub("", step.request))
    }  # fmt: skip
    known = sorted(tenants, key=len, reverse=True)
    found = []
    for name in sorted(named):
        whose = next((one for one in known if name.startswith(f"{variable(one)}_")), "")
        found.append((f"export {name}='…'", f"a credential of {whose}" if whose else "a secret"))
    return tuple(found)
