"""What `partywall audit` does once its command line is understood."""

from __future__ import annotations

import typer

from partywall.cli.audit import Asked, Format
from partywall.cli.ending import HELD, say
from partywall.cli.output import answered, somebody_there, write
from partywall.cli.progress import Progress
from partywall.reports import json, model_text, text
from partywall.reports.style import listed, number
from partywall.survey.audit import audit, explain
from partywall.survey.configuration import Configuration, load
from partywall.survey.connecting import connect
from partywall.survey.copying import drop, left_over
from partywall.survey.entering import without_secret
from partywall.survey.verdict import EXIT_CODES


def run(asked: Asked) -> int:
    """Survey, or explain the model; return the exit code."""
    configuration = load(asked.config, url=asked.url, attacker=asked.attacker or "")
    clean_up(configuration, asked_to=asked.clean)
    if asked.explain_model:
        return explained(configuration, asked)
    with Progress() as progress:
        report = audit(
            configuration,
            place=asked.on.value,
            read_only=asked.read_only,
            destructive=asked.destructive,
            watch=progress,
        )
    if asked.output_format is Format.JSON:
        write(json.written(json.report(report)), asked.output)
    else:
        write(lambda console: text.show(report, console, verbose=asked.verbose), asked.output)
    if asked.output:
        say(f"{report.verdict}; the report is in {asked.output}")
    return EXIT_CODES[report.verdict]


def explained(configuration: Configuration, asked: Asked) -> int:
    """Show what a survey would assume; nothing is attacked."""
    model, identities, facts = explain(configuration)
    target = without_secret(configuration.url)
    if asked.output_format is Format.JSON:
        write(json.written(json.explanation(model, identities, facts, target)), asked.output)
        return HELD
    write(
        lambda console: model_text.show(
            model,
            identities,
            facts,
            target,
            console,
            declared=bool(configuration.tenants),
            verbose=asked.verbose,
        ),
        asked.output,
    )
    return HELD


def clean_up(configuration: Configuration, *, asked_to: bool) -> None:
    """Drop left-over copies when asked to, ask where somebody can answer, else name the way."""
    with connect(configuration.url) as admin:
        names = left_over(admin)
        if not names:
            return
        copies = f"{number(len(names), 'copy', 'copies')} of killed runs"
        if asked_to or (somebody_there() and agreed(f"Drop {copies}?")):
            drop(admin, names)
            say(f"dropped {copies}: {listed(names)}")
            return
        statements = " ".join(f'DROP DATABASE "{name}";' for name in names)
        say(f"{copies} left behind: `partywall audit --clean` drops them, or {statements}")


def agreed(question: str) -> bool:
    """Whether somebody says yes."""
    return answered(lambda: typer.confirm(question, err=True), otherwise=False)
