"""What `partywall survey` does once its command line is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.cli.known import beside_layers, opened_layers
from partywall.cli.layer_progress import LayerProgress
from partywall.cli.outputs import declaring, outputs
from partywall.cli.progress import Progress
from partywall.reports.formats import written
from partywall.survey.verdict import EXIT_CODES
from partywall.survey.whole import load, survey

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from partywall.cli.survey import Asked


def run(asked: Asked) -> int:
    """Survey all layers that are asked for; return the exit code."""
    asked_for = outputs(asked.output_format, asked.output)
    plan = load(asked.config, only=asked.only, skip=asked.skip)
    known = opened_layers(asked.baseline, update=asked.update_baseline)
    report = survey(plan, watching)
    report = beside_layers(report, known, asked.baseline if asked.update_baseline else None)
    source = declaring(asked.config)
    asked_for.deliver(
        lambda form: written(form, report, source=source, verbose=asked.verbose),
        f"{report.verdict}; ",
    )
    return EXIT_CODES[report.verdict]


def watching(layer: str) -> AbstractContextManager[Any]:
    """The line that says how far the survey of *layer* is, as long as it lasts."""
    if layer == "database":
        return Progress()
    if layer == "api":
        from partywall.cli.probe_progress import ProbeProgress  # noqa: PLC0415 - partywall[probe]

        return ProbeProgress()
    return LayerProgress(layer)
