"""A survey of several layers in the form that every report is made of: surfaces by effect."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from partywall import __version__
from partywall.reports import audit_overview, layer_overview
from partywall.reports.layer_overview import VERDICTS
from partywall.reports.overview import Overview, Row, complete, proved
from partywall.reports.style import listed
from partywall.survey.engine import WORST
from partywall.survey.http.report import HttpReport
from partywall.survey.layers import LayerReport
from partywall.survey.verdict import EFFECTS, Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from partywall.reports.overview import Breach, Doubt
    from partywall.survey.attack import Effect
    from partywall.survey.layers import AnyLayer, WholeReport
    from partywall.survey.verdict import State

ACHIEVED: Mapping[str, Effect] = {
    "GET": "read", "HEAD": "read", "POST": "write", "PUT": "write", "PATCH": "write",
    "DELETE": "destroy",
}  # fmt: skip
"""What an attempt at an operation sets out to achieve, by its method."""


def overview(whole: WholeReport, source: str) -> Overview:
    """All that *whole* tells."""
    parts = {name: part(one, source) for name, one in whole.layers.items()}
    many = parts.values()
    controls = [one.controls for one in whole.layers.values()]
    together = {key: sum(c.get(key, 0) for c in controls) for key in ("proved", "failed")}
    settings = dict(pair for one in many for pair in one.settings)
    return Overview(
        command="survey",
        verdict=whole.verdict,
        target=listed(dict.fromkeys(one.target for one in many)),
        noun="surface",
        across="effect",
        summary=summary(whole),
        about=tuple(f"{name}: {one.verdict}, {one.summary}" for name, one in parts.items()),
        columns=tuple(EFFECTS),
        rows=tuple(row for one in many for row in one.rows),
        breaches=tuple(breach for one in many for breach in one.breaches),
        doubts=tuple(doubt for one in many for doubt in one.doubts),
        excepted=tuple(one for each in many for one in each.excepted),
        advice=tuple(one for each in many for one in each.advice),
        left=(*whole.left, *(f"{name}: {told}" for name, o in parts.items() for told in o.left)),
        facts=(
            ("Layers", ", ".join(parts)),
            ("Attempts", f"{sum(attempts(one) for one in whole.layers.values()):,}"),
            ("Controls", proved(together)),
            ("Took", f"{whole.duration_s:.1f} s"),
        ),
        versions={k: v for one in many for k, v in one.versions.items()}
        | {"partywall": __version__},
        duration_s=whole.duration_s,
        replay=" ".join(dict.fromkeys(one.replay for one in many if one.replay)),
        settings=tuple(settings.items()),
        untried={
            f"{name}: {why}": told
            for name, one in parts.items()
            for why, told in one.untried.items()
        },
        killers=tuple(one for each in many for one in each.killers),
        known=tuple(breach for one in many for breach in one.known),
        known_doubts=tuple(doubt for one in many for doubt in one.known_doubts),
        remarks=tuple(f"{name}: {told}" for name, one in parts.items() for told in one.remarks),
        compared=any(one.compared for one in many),
        source=source,
    )


def part(report: AnyLayer, source: str) -> Overview:
    """One layer's part: its surfaces by effect, whatever its own report has for columns."""
    if isinstance(report, Report):
        found = audit_overview.overview(report, source)
        return replace(found, rows=tuple(_of_layer(found.rows, "database")))
    if isinstance(report, HttpReport):
        return _of_api(report, source)
    return _further(report, source)


def attempts(report: AnyLayer) -> int:
    """How many were made."""
    return report.attempts if isinstance(report, Report) else len(report.tried)


def summary(whole: WholeReport) -> str:
    """What the verdict of the whole means, and by which layers."""
    by: dict[str, list[str]] = {}
    for name, one in whole.layers.items():
        by.setdefault(one.verdict, []).append(name)
    said = "; ".join(f"{verdict}: {', '.join(names)}" for verdict, names in sorted(by.items()))
    return f"{VERDICTS[whole.verdict]} ({said})"


def _of_layer(rows: Iterable[Row], layer: str) -> Iterator[Row]:
    for one in rows:
        yield replace(one, layer=layer, group=f"{layer} · {one.group}")


def _of_api(report: HttpReport, source: str) -> Overview:
    from partywall.reports import probe_overview  # noqa: PLC0415 - partywall[probe]

    found = probe_overview.overview(report, source)
    breaches = tuple(_by_effect(one) for one in found.breaches)
    known = tuple(_by_effect(one) for one in found.known)
    doubts = tuple(replace(one, column=_effect(one.at, "read")) for one in found.doubts)
    known_doubts = tuple(replace(one, column=_effect(one.at, "read")) for one in found.known_doubts)
    effects = {(one.at, one.name): one.effect for one in (*report.findings, *report.known)}
    effects |= {(e.finding.at, e.finding.name): e.finding.effect for e in report.excepted}
    rows = []
    beside: list[Breach | Doubt] = [*known, *known_doubts]
    for row in found.rows:
        cells: dict[str, State] = {}
        why: dict[str, str] = {}
        for name, state in row.cells.items():
            effect = effects.get((row.at, name)) or _effect(row.at, "read")
            cells[effect] = max(cells.get(effect, state), state, key=WORST.index)
            if name in row.why and cells[effect] == state:
                why[effect] = row.why[name]
        here = {row.at: cells}
        complete(
            here,
            [one for one in breaches if one.at == row.at],
            [one for one in doubts if one.at == row.at],
            [one for one in beside if one.at == row.at],
        )
        rows.append(replace(row, cells=cells, why=why))
    return replace(
        found,
        across="effect",
        columns=tuple(EFFECTS),
        rows=tuple(_of_layer(rows, "api")),
        breaches=breaches,
        doubts=doubts,
        known=known,
        known_doubts=known_doubts,
    )


def _by_effect(one: Breach) -> Breach:
    return replace(one, column=one.finding.effect)


def _effect(at: str, otherwise: Effect) -> Effect:
    return ACHIEVED.get(at.partition(" ")[0], otherwise)


def _further(report: LayerReport, source: str) -> Overview:
    found = layer_overview.breaches(report.findings)
    undecided: tuple[Doubt, ...] = layer_overview.doubts(report.undecided)
    steps = [step for one in report.findings for step in one.witness]
    settings = layer_overview.variables(steps, report.tenants)
    return Overview(
        command="survey",
        verdict=report.verdict,
        target=report.target,
        noun="surface",
        across="effect",
        summary=layer_overview.summary(report),
        about=(f"tenants {listed(report.tenants)}",) if report.tenants else (),
        columns=tuple(EFFECTS),
        rows=tuple(layer_overview.rows(report)),
        breaches=found,
        doubts=undecided,
        excepted=report.excepted,
        advice=(),
        left=report.left,
        facts=(
            ("Attempts", f"{len(report.tried):,}"),
            ("Controls", proved(report.controls)),
            ("Took", f"{report.duration_s:.1f} s"),
        ),
        versions=report.versions,
        duration_s=report.duration_s,
        settings=settings,
        untried=_untried(report),
        known=layer_overview.breaches(report.known),
        known_doubts=layer_overview.doubts(report.known_undecided),
        remarks=report.remarks,
        compared=report.compared,
        source=source,
    )


def _untried(report: LayerReport) -> dict[str, list[str]]:
    """Reason -> the attempts that prove nothing for it."""
    found: dict[str, list[str]] = {}
    for one in report.tried:
        if one.state == "undecided":
            way = f"{one.at}: {one.attack}, {one.attacker} → {one.victim}"
            found.setdefault(one.because, []).append(way)
    return found
