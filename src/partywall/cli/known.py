"""`--baseline` and `--update-baseline`: what a survey finds, beside what was there already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from partywall.cli.ending import say
from partywall.cli.output import write
from partywall.reports.baseline import (
    read,
    read_layers,
    replaceable,
    written,
    written_layers,
)
from partywall.reports.style import number
from partywall.survey.baseline import baseline, baselines, compared, compared_layers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from partywall.survey.baseline import AnyReport, Baseline
    from partywall.survey.layers import WholeReport
    from partywall.survey.standing import Command


def opened(file: Path | None, command: Command, *, update: bool) -> Baseline | None:
    """What *file* knows, read before a survey begins; None where it is to be written.

    Raises:
        ConfigurationError: it isn't there, or can't be understood; or it is to be written, and is
            something else.
    """
    if file is None:
        return None
    if update:
        replaceable(file)
        return None
    return read(file, command)


def beside(report: AnyReport, known: Baseline | None, new: Path | None) -> AnyReport:
    """The report with what is known apart; what it found is written to *new*, and known then."""
    if new is None:
        return compared(report, known) if known else report
    found = baseline(report)
    write(written(found), new)
    _said(new, [found])
    return compared(report, found)


def opened_layers(file: Path | None, *, update: bool) -> Mapping[str, Baseline] | None:
    """What *file* knows of each layer; as `opened`."""
    if file is None:
        return None
    if update:
        replaceable(file)
        return None
    return read_layers(file)


def beside_layers(
    report: WholeReport, known: Mapping[str, Baseline] | None, new: Path | None
) -> WholeReport:
    """The joined report with what is known apart; as `beside`."""
    if new is None:
        return compared_layers(report, known) if known is not None else report
    found = baselines(report)
    write(written_layers(found), new)
    _said(new, found.values())
    return compared_layers(report, found)


def _said(file: Path, found: Iterable[Baseline]) -> None:
    every = list(found)
    breaches = sum(len({replace(entry, by="") for entry in one.breached}) for one in every)
    undecided = sum(len(one.undecided) for one in every)
    say(
        f"the baseline {file} has {number(breaches, 'breach', 'breaches')} and "
        f"{undecided} undecided"
    )
