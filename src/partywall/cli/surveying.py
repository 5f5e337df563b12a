"""What `partywall audit` does once its command line is understood."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from partywall.cli.audit import Asked, On
from partywall.cli.ending import HELD, say
from partywall.cli.fleet_progress import FleetProgress
from partywall.cli.known import beside, opened
from partywall.cli.output import answered, somebody_there
from partywall.cli.outputs import Outputs, declaring, outputs
from partywall.cli.progress import Progress
from partywall.errors import ConfigurationError
from partywall.reports import json, model_text
from partywall.reports.formats import Format, Written, written
from partywall.reports.style import listed, number
from partywall.survey.addresses import without_secret
from partywall.survey.audit import audit, explain
from partywall.survey.configuration import Configuration, load
from partywall.survey.connecting import connect
from partywall.survey.copying import drop, left_over
from partywall.survey.fleet.survey import survey
from partywall.survey.migrations import Migrations, migrated
from partywall.survey.verdict import EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.verdict import Report


def run(asked: Asked) -> int:
    """Survey, or explain the model; return the exit code."""
    asked_for = outputs(asked.output_format, asked.output)
    if asked.explain_model and (odd := sorted(asked_for.formats - {Format.TEXT, Format.JSON})):
        raise ConfigurationError(f"--explain-model is written as text or json, not as {odd[0]}")
    with target(asked) as configuration:
        return surveyed(configuration, asked, asked_for)


@contextmanager
def target(asked: Asked) -> Iterator[Configuration]:
    """The configured database, or the one that the migrations make, as long as the block lasts."""
    attacker = asked.attacker or ""
    if asked.migrations is None:
        yield load(asked.config, url=asked.url, attacker=attacker)
        return
    say(f"running the migrations of {asked.migrations} on a disposable server")
    migrations = Migrations(asked.migrations, asked.migrations_tool, asked.python)
    with migrated(migrations, asked.config, attacker=attacker) as configuration:
        yield configuration


def surveyed(configuration: Configuration, asked: Asked, asked_for: Outputs) -> int:
    """Survey, or explain the model; return the exit code."""
    clean_up(configuration, asked_to=asked.clean)
    if asked.explain_model:
        return explained(configuration, asked, asked_for)
    known = opened(asked.baseline, "audit", update=asked.update_baseline)
    report = (
        _every_tenant(configuration, asked) if asked.all_tenants else _two(configuration, asked)
    )
    report = beside(report, known, asked.baseline if asked.update_baseline else None)
    source = declaring(asked.config)
    asked_for.deliver(
        lambda form: written(form, report, source=source, verbose=asked.verbose),
        f"{report.verdict}; ",
    )
    return EXIT_CODES[report.verdict]


def _two(configuration: Configuration, asked: Asked) -> Report:
    with Progress() as progress:
        return audit(
            configuration,
            place=asked.on.value,
            read_only=asked.read_only,
            destructive=asked.destructive,
            watch=progress,
        )


def _every_tenant(configuration: Configuration, asked: Asked) -> Report:
    with FleetProgress() as progress:
        return survey(
            configuration,
            writing=asked.on is On.TARGET and not asked.read_only,
            workers=asked.workers,
            journal=asked.journal,
            watch=progress,
        )


def explained(configuration: Configuration, asked: Asked, asked_for: Outputs) -> int:
    """Show what a survey would assume; nothing is attacked."""
    model, identities, facts = explain(configuration)
    target = configuration.title or without_secret(configuration.url)

    def form(one: Format) -> Written:
        if one is Format.JSON:
            return json.written(json.explanation(model, identities, facts, target))
        return lambda console: model_text.show(
            model,
            identities,
            facts,
            target,
            console,
            declared=bool(configuration.tenants or configuration.title),
            verbose=asked.verbose,
        )

    asked_for.deliver(form)
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
