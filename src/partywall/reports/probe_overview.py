"""A survey of an API in the form that every report is made of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from partywall import __version__
from partywall.reports import probe_text
from partywall.reports.overview import (
    Breach,
    Doubt,
    Overview,
    Row,
    also,
    complete,
    merged,
    proved,
    reasons,
    together,
)
from partywall.reports.probe_matrix import attacks, matrix
from partywall.reports.probe_witness import REPEAT, variables
from partywall.reports.witness import pasted
from partywall.survey.fingerprint import fingerprint
from partywall.survey.verdict import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from partywall.survey.http.report import HttpReport, Open
    from partywall.survey.verdict import Finding, State

READABLE = {
    "public": ("PW300", "readable by anybody, without a credential"),
    "shared": ("PW300", "shown to another tenant by default"),
}


def overview(report: HttpReport, source: str) -> Overview:
    """All that *report* tells."""
    breaches = tuple(_breach(same) for same in together(report.findings))
    doubts = tuple(_doubts(report, report.undecided, known=False))
    known = tuple(_breach(same) for same in together(report.known))
    known_doubts = tuple(_doubts(report, report.known_undecided, known=True))
    columns = dict.fromkeys(attacks(report))
    told: tuple[Breach | Doubt, ...] = (*breaches, *doubts, *known, *known_doubts)
    columns |= dict.fromkeys(one.column for one in told)
    steps = [step for one in report.findings for step in one.witness]
    steps += [step for one in doubts for step in one.witness]
    settings = variables(steps, report.tenants)
    return Overview(
        command="probe",
        verdict=report.verdict,
        target=report.target,
        noun="operation",
        across="attack",
        summary=probe_text.summary(report),
        about=(probe_text.about(report),),
        columns=tuple(columns),
        rows=tuple(_rows(report, breaches, doubts, (*known, *known_doubts))),
        breaches=breaches,
        doubts=doubts,
        excepted=report.excepted,
        advice=report.advice,
        left=report.left,
        facts=(
            ("Requests", f"{report.requests:,}"),
            ("Attempts", f"{len(report.tried):,}"),
            ("Controls", proved(report.controls)),
            ("Seed", str(report.seed)),
            ("Took", f"{report.duration_s:.1f} s"),
        ),
        versions={**report.versions, "partywall": __version__},
        duration_s=report.duration_s,
        replay=REPEAT if settings else "",
        settings=settings,
        untried={why: list(places) for why, places in probe_text.untried(report).items()},
        killers=report.killers,
        known=known,
        known_doubts=known_doubts,
        remarks=report.remarks,
        compared=report.compared,
        source=source,
    )


def _breach(same: list[Finding]) -> Breach:
    first = same[0]
    named = {who for one in same for who in (one.attacker, one.victim)}
    return Breach(
        first,
        also(same),
        tuple(sorted(named)),
        first.name,
        replay=pasted(first.witness),
    )


def _doubts(report: HttpReport, undecided: Iterable[Undecided], *, known: bool) -> Iterator[Doubt]:
    """What stays undecided, and what nobody declared: what the baseline has of it, or the rest."""
    yield from (replace(one, column=one.name) for one in merged(undecided))
    for name, found in {"public": report.public, "shared": report.shared}.items():
        unsaid = (one for one in found if not one.declared and one.known is known)
        yield from (_open(name, one) for one in unsaid)


def _open(name: str, one: Open) -> Doubt:
    """What more than its tenant may read, until somebody says that it is meant so."""
    code, words = READABLE[name]
    quoted = one.at.replace("\\", "\\\\").replace('"', '\\"')
    because = (
        f"{words}: {one.because}. If that is meant so, declare it: "
        f'[[public]] operation = "{quoted}"'
    )
    key = fingerprint(Undecided(code, name, "read", f"{one.at} ({name})", because))
    return Doubt(
        code, name, one.at, name, because, key,
        meant=True, witness=one.witness, replay=pasted(one.witness),
    )  # fmt: skip


def _rows(
    report: HttpReport,
    breaches: Iterable[Breach],
    doubts: Iterable[Doubt],
    known: Iterable[Breach | Doubt],
) -> Iterator[Row]:
    cells: dict[str, dict[str, State]] = {at: dict(row) for at, row in matrix(report).items()}
    complete(cells, breaches, doubts, known)
    why = reasons(doubts, known)
    who: dict[str, set[str]] = {}
    for one in report.tried:
        who.setdefault(one.at, set()).update((one.attacker, one.victim))
        if one.state == "undecided" and one.because:
            why.setdefault(one.at, {}).setdefault(one.attack, one.because)
    accepted = {(one.finding.at, one.finding.name): one.because for one in report.excepted}
    for at, row in cells.items():
        told = why.get(at, {})
        for name, state in row.items():
            if state == "excepted" and (at, name) in accepted:
                told = told | {name: accepted[at, name]}
        yield Row(at, at, "operations", "http", row, tuple(sorted(who.get(at, ()))), told)
