"""What `partywall probe` does once its command line is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.cli.ending import say
from partywall.cli.known import beside, opened
from partywall.cli.output import write
from partywall.cli.outputs import declaring, outputs
from partywall.cli.probe import Asked, Pairs
from partywall.cli.probe_progress import ProbeProgress
from partywall.reports.formats import written
from partywall.reports.probe_tests import emitted, untested
from partywall.reports.style import number
from partywall.survey.http.loading import load
from partywall.survey.http.probing import probe
from partywall.survey.verdict import EXIT_CODES

if TYPE_CHECKING:
    from pathlib import Path

    from partywall.survey.http.report import HttpReport


def run(asked: Asked) -> int:
    """Probe; return the exit code."""
    asked_for = outputs(asked.output_format, asked.output)
    settings = load(
        asked.config,
        base=asked.base,
        openapi=asked.openapi,
        app=asked.app,
        deny=asked.deny,
        rate=asked.rate,
        read_only=asked.read_only,
        every_pair=asked.pairs is Pairs.ALL,
        seed=asked.seed,
        journal=asked.journal,
        timing=asked.timing,
    )
    known = opened(asked.baseline, "probe", update=asked.update_baseline)
    with ProbeProgress() as progress:
        report = probe(settings, progress)
    report = beside(report, known, asked.baseline if asked.update_baseline else None)
    source = declaring(asked.config)
    asked_for.deliver(
        lambda form: written(form, report, source=source, verbose=asked.verbose),
        f"{report.verdict}; ",
    )
    if asked.emit_tests:
        emit(report, asked.emit_tests)
    return EXIT_CODES[report.verdict]


def emit(report: HttpReport, file: Path) -> None:
    """Write the breaches as tests, and say how many there are."""
    write(emitted(report.findings, report.target), file)
    without = untested(report.findings)
    told = number(len(report.findings) - without, "test")
    left = f"; {number(without, 'breach', 'breaches')} without one, named there" if without else ""
    say(f"{told} in {file}{left}")
