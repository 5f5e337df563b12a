"""`--baseline` and `--update-baseline`: what a survey finds, beside what was there already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from partywall.cli.ending import say
from partywall.cli.output import write
from partywall.reports.baseline import read, replaceable, written
from partywall.reports.style import number
from partywall.survey.baseline import baseline, compared

if TYPE_CHECKING:
    from pathlib import Path

    from partywall.survey.baseline import AnyReport, Baseline
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
    breaches = len({replace(one, by="") for one in found.breached})
    say(
        f"the baseline {new} has {number(breaches, 'breach', 'breaches')} and "
        f"{len(found.undecided)} undecided"
    )
    return compared(report, found)
