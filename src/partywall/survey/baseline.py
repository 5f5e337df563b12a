"""What was there already: a survey that has a baseline fails only on what is new."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from partywall.survey import layers
from partywall.survey.fingerprint import WITHOUT_CONTEXT, fingerprint
from partywall.survey.http.report import HttpReport, settled
from partywall.survey.layers import LayerReport, WholeReport
from partywall.survey.standing import settings, undeclared, unsaid
from partywall.survey.verdict import EFFECTS, Finding, Report, Undecided

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from partywall.survey.attack import Effect
    from partywall.survey.layers import AnyLayer
    from partywall.survey.standing import Command

AnyReport = TypeVar("AnyReport", Report, HttpReport, LayerReport)

TENANT = "tenant"
NAMED = 3
"""So many of those that are gone are named, the rest counted."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One thing that is known, told so that people can review it.

    Attributes:
        by: whom it takes: `TENANT`, or a context without one; "" for what is undecided.
    """

    at: str
    effect: Effect
    code: str
    name: str
    by: str = ""

    def fingerprint(self, command: Command) -> str:
        """That of whatever it was made from."""
        if not self.by:
            return fingerprint(Undecided(self.code, self.name, self.effect, self.at, ""))
        layer = "http" if command == "probe" else "sql"
        return fingerprint(
            Finding(self.code, self.name, layer, self.effect, self.at, self.by, "", (), "", "", "")
        )


@dataclass(frozen=True, slots=True)
class Baseline:
    """What one survey found, or that of one layer, without its witnesses.

    Attributes:
        command: `survey` for one of a further layer.
        settings: how far its attacker went and where: two surveys that differ in this find
            different things on the same walls.
    """

    command: Command
    settings: str
    breached: tuple[Entry, ...] = ()
    undecided: tuple[Entry, ...] = ()


def baseline(report: AnyLayer) -> Baseline:
    """All that *report* found, what was known before as well; not what the configuration accepts.

    An operation that everybody may read, and nobody declared, is undecided.
    """
    breached = {_entry(one) for one in (*report.findings, *report.known)}
    undecided = {_entry(one) for one in (*report.undecided, *report.known_undecided)}
    if isinstance(report, HttpReport):
        undecided |= {_entry(one) for one in undeclared(report)}
    command: Command = "survey"
    if not isinstance(report, LayerReport):
        command = "probe" if isinstance(report, HttpReport) else "audit"
    return Baseline(command, settings(report), _sorted(breached), _sorted(undecided))


def baselines(report: WholeReport) -> dict[str, Baseline]:
    """The same of each layer."""
    return {name: baseline(one) for name, one in report.layers.items()}


def compared_layers(report: WholeReport, known: Mapping[str, Baseline]) -> WholeReport:
    """Each layer as `compared` tells it; of one that the baseline lacks, all is new."""
    found: dict[str, AnyLayer] = {}
    for name, one in report.layers.items():
        beside = known.get(name, Baseline("survey", settings(one)))
        found[name] = compared(one, beside)  # type: ignore[type-var] # each is one of the three
    return replace(report, layers=found)


def compared(report: AnyReport, known: Baseline) -> AnyReport:
    """Part what *known* has from what is new, and say what of it was mended."""
    breached = {entry.fingerprint(known.command) for entry in known.breached}
    undecided = {entry.fingerprint(known.command) for entry in known.undecided}
    fresh = [one for one in report.findings if fingerprint(one) not in breached]
    old = [one for one in report.findings if fingerprint(one) in breached]
    places = {_place(one) for one in old} - {_place(one) for one in fresh}
    return replace(
        report,
        findings=tuple(fresh),
        known=tuple(old),
        undecided=tuple(o for o in report.undecided if fingerprint(o) not in undecided),
        known_undecided=tuple(o for o in report.undecided if fingerprint(o) in undecided),
        remarks=(*report.remarks, *_remarks(report, known)),
        compared=True,
        **_marked(report, places, undecided, fresh),
    )


def _marked(
    report: AnyLayer,
    breached: AbstractSet[tuple[str, str]],
    undecided: AbstractSet[str],
    fresh: Iterable[Finding],
) -> dict[str, Any]:
    """The fields of *report* that hold states, with what is known marked in them."""
    if isinstance(report, LayerReport):
        new = {(one.at, one.name) for one in fresh}
        old = {(one.at, one.attack) for one in report.tried} - new
        return {"tried": layers.settled(report.tried, old, "known")}
    if isinstance(report, Report):
        return {"cells": {**report.cells, **dict.fromkeys(breached, "known")}}
    return {
        kind: tuple(
            replace(one, known=fingerprint(unsaid(kind, one.at, "")) in undecided) for one in found
        )
        for kind, found in {"public": report.public, "shared": report.shared}.items()
    } | {
        "tried": settled(report.tried, {at for at, _ in breached}, "known"),
    }


def _place(one: Finding) -> tuple[str, str]:
    """Where a finding stands in the matrix; at an operation it is the worst effect alone."""
    return (one.at, "") if one.layer == "http" else (one.at, one.effect)


def _entry(one: Finding | Undecided) -> Entry:
    by = ""
    if isinstance(one, Finding):
        strange = one.layer != "http" and one.attacker in WITHOUT_CONTEXT
        by = one.attacker if strange else TENANT
    return Entry(one.at, one.effect, one.code, one.name, by)


def _sorted(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda one: (one.at, EFFECTS.index(one.effect), one)))


def _remarks(report: AnyLayer, known: Baseline) -> Iterator[str]:
    """What of the baseline is no longer there; what stays in it could come back unseen."""
    if known.settings != settings(report):
        yield (
            f"the baseline was made with attacker {known.settings}, this is attacker "
            f"{settings(report)}: what is found no more may be there still"
        )
        return
    now = baseline(report)
    accepted = {_entry(one.finding) for one in report.excepted}
    doubtful = {(one.at, one.effect) for one in now.undecided}
    gone = _without(known.breached, now.breached)
    for words, entries in {
        "accepted by the configuration": gone & accepted,
        "mended": {e for e in gone - accepted if (e.at, e.effect) not in doubtful},
        "decided": _without(known.undecided, now.undecided),
    }.items():
        ways = len({replace(one, by="") for one in entries})
        places = list(dict.fromkeys(f"{one.effect} {one.at}" for one in _sorted(entries)))
        if places:
            verb = "is" if ways == 1 else "are"
            rest = len(places) - NAMED
            named = ", ".join(places[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
            yield (
                f"{ways} of the baseline {verb} {words}: {named}; --update-baseline writes it anew"
            )


def _without(entries: Iterable[Entry], there: Iterable[Entry]) -> set[Entry]:
    """Those that are there no more, whatever their attack is called by now."""
    still = {replace(one, name="") for one in there}
    return {one for one in entries if replace(one, name="") not in still}
