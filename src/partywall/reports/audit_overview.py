"""A survey of a database in the form that every report is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.reports import matrix, text
from partywall.reports.breaches import CONTEXTS
from partywall.reports.facts import versions
from partywall.reports.overview import (
    Breach,
    Doubt,
    Overview,
    Row,
    complete,
    merged,
    proved,
    reasons,
    together,
)
from partywall.reports.style import listed
from partywall.reports.witness import is_sql, marks, pasted
from partywall.survey.verdict import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from partywall.survey.verdict import Finding, Report, State

NAMED = 6
"""So many further attackers are named."""


def overview(report: Report, source: str) -> Overview:
    """All that *report* tells."""
    breaches = tuple(_breach(report, same) for same in together(report.findings))
    doubts = tuple(merged(report.undecided))
    known = tuple(_breach(report, same) for same in together(report.known))
    known_doubts = tuple(merged(report.known_undecided))
    return Overview(
        command="audit",
        verdict=report.verdict,
        target=report.target,
        noun="surface",
        across="effect",
        summary=text.summary(report),
        about=tuple(text.about(report)),
        columns=tuple(EFFECTS),
        rows=tuple(_rows(report, breaches, doubts, (*known, *known_doubts))),
        breaches=breaches,
        doubts=doubts,
        excepted=report.excepted,
        advice=report.advice,
        left=report.left,
        facts=(
            *_fleet(report),
            ("Attempts", f"{report.attempts:,}"),
            ("Controls", proved(report.controls)),
            ("Where", report.place),
            ("Attacker", report.attacker),
            ("Took", f"{report.duration_s:.1f} s"),
        ),
        versions=versions(report),
        duration_s=report.duration_s,
        replay=text.how_to_replay(report),
        known=known,
        known_doubts=known_doubts,
        remarks=report.remarks,
        compared=report.compared,
        source=source,
    )


def _fleet(report: Report) -> list[tuple[str, str]]:
    if report.fleet is None:
        return []
    return [
        ("Tenants", f"{report.fleet.turns:,} of {report.fleet.tenants:,} attacked"),
        ("Pairs", f"{report.fleet.pairs:,}"),
    ]


def _breach(report: Report, same: list[Finding]) -> Breach:
    """The tenant's own attempt tells most; who did it without a context adds to it."""
    ranked = sorted(same, key=lambda one: [*CONTEXTS].index(one.attacker) if _strange(one) else -1)
    first = ranked[0]
    others = dict.fromkeys(
        CONTEXTS.get(one.attacker, f"{one.attacker} → {one.victim}") for one in ranked[1:]
    )
    others.pop(f"{first.attacker} → {first.victim}", None)
    told = list(others)[:NAMED]
    if rest := len(others) - len(told):
        told.append(f"{rest:,} more")
    named = {who for one in same for who in (one.attacker, one.victim) if who not in CONTEXTS}
    return Breach(
        first,
        listed(told) if told else "",
        tuple(sorted(named)),
        first.effect,
        marks(report, first),
        pasted(first.witness),
        is_sql(first.fix),
    )


def _strange(one: Finding) -> bool:
    return one.attacker in CONTEXTS


def _rows(
    report: Report,
    breaches: Iterable[Breach],
    doubts: Iterable[Doubt],
    known: Iterable[Breach | Doubt],
) -> Iterable[Row]:
    cells: dict[str, dict[str, State]] = {}
    for (at, effect), state in report.cells.items():
        cells.setdefault(at, {})[effect] = state
    complete(cells, breaches, doubts, known)
    why = reasons(doubts, known)
    who: dict[str, set[str]] = {}
    for one in (*breaches, *known):
        if isinstance(one, Breach):
            who.setdefault(one.at, set()).update(one.tenants)
    places = {at: matrix.place(at, report.kinds) for at in cells}
    layers = {f.at: f.layer for f in (*report.findings, *report.known)} | dict(report.layers)

    def order(at: str) -> tuple[bool, str, int, str]:
        where = places[at]
        return not where.schema, where.schema, matrix.ORDER.index(where.noun), at

    for at in sorted(cells, key=order):
        where = places[at]
        group = matrix.Group(where.schema, where.noun, ()).title
        yield Row(
            at, where.label, group, layers.get(at, "sql"), cells[at],
            tuple(sorted(who.get(at, ()))), why.get(at, {}),
        )  # fmt: skip
