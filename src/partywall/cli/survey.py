"""`partywall survey`: survey every layer that the configuration names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from partywall.cli.ending import exit_code
from partywall.cli.options import (
    BaselineOption,
    ConfigOption,
    FormatOption,
    OutputOption,
    UpdateBaselineOption,
    checked,
)
from partywall.reports.formats import Format

INTERRUPTED = (
    "what was made for this run has been removed; of what an API made, as far as it let it"
)


class LayerName(StrEnum):
    """What `--only` and `--skip` take; a test holds it to `partywall.survey.layers.LAYERS`."""

    DATABASE = "database"
    API = "api"
    POOL = "pool"
    CACHE = "cache"
    JOBS = "jobs"
    SOCKETS = "sockets"
    OBJECTS = "objects"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    config: Path | None
    only: tuple[str, ...]
    skip: tuple[str, ...]
    output_format: Format | None
    output: tuple[str, ...]
    verbose: bool
    baseline: Path | None = None
    update_baseline: bool = False


def survey(
    *,
    config: ConfigOption = None,
    only: Annotated[
        list[LayerName] | None,
        typer.Option(metavar="LAYER", help="Survey this layer alone. Repeat."),
    ] = None,
    skip: Annotated[
        list[LayerName] | None, typer.Option(metavar="LAYER", help="Leave it out. Repeat.")
    ] = None,
    output_format: FormatOption = None,
    output: OutputOption = None,
    baseline: BaselineOption = None,
    update_baseline: UpdateBaselineOption = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Every witness, every reason; tracebacks.")
    ] = False,
) -> None:
    """Survey every layer that partywall.toml names, and join them in one report.

    A layer is surveyed when its table stands in the file: [database] as by `partywall audit`, [api]
    as by `partywall probe`, and [pool], [cache], [jobs], [sockets], [objects]; these by their own
    addresses, and through the API where one is declared. The verdict is the worst of the layers'.
    """
    checked(baseline, update=update_baseline)
    if update_baseline and (only or skip):
        raise typer.BadParameter(
            "--update-baseline writes what all layers say: not with --only or --skip"
        )
    asked = Asked(
        config,
        tuple(one.value for one in only or ()),
        tuple(one.value for one in skip or ()),
        output_format,
        tuple(output or ()),
        verbose,
        baseline,
        update_baseline,
    )

    def command() -> int:
        from partywall.cli.whole import run  # noqa: PLC0415 - drivers, parsers, clients: 1 s

        return run(asked)

    raise typer.Exit(exit_code(command, verbose=verbose, interrupted=INTERRUPTED))
