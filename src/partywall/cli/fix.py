"""`partywall fix`: the migration that mends what a survey finds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from partywall.cli.ending import exit_code
from partywall.cli.options import AttackerOption, ConfigOption, Level, UrlOption, placed
from partywall.cli.where import Format


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    config: Path | None
    url: str
    attacker: Level | None
    output_format: Format
    output: Path | None
    apply: bool
    yes: bool


def fix(
    *,
    config: ConfigOption = None,
    url: UrlOption = "",
    attacker: AttackerOption = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="SQL for people, or for programs.")
    ] = Format.TEXT,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the migration there.")
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Apply it to the target, and survey again.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --apply: don't ask.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tracebacks.")] = False,
) -> None:
    """Survey a PostgreSQL database, and write the SQL that mends what was found.

    The statements are tried on a disposable copy first: those that the server refuses, or that
    would keep a tenant from its own rows, are left out. What takes a person stands in comments.
    """
    if yes and not apply:
        raise typer.BadParameter("--yes is for --apply: nothing else is asked")
    placed("--output", output)
    asked = Asked(config, url, attacker, output_format, output, apply, yes)

    def command() -> int:
        from partywall.cli.fixing import run  # noqa: PLC0415 - a driver and a parser: 0.3 s

        return run(asked)

    raise typer.Exit(exit_code(command, verbose=verbose))
