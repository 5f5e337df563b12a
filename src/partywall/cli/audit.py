"""`partywall audit`: survey a PostgreSQL database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from partywall.cli.ending import exit_code


class Format(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"


class On(StrEnum):
    """Where the attempts run."""

    COPY = "copy"
    TARGET = "target"


class Level(StrEnum):
    """How far the attacker goes."""

    QUERY = "query"
    SQL = "sql"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    config: Path | None
    url: str
    output_format: Format
    output: Path | None
    on: On
    read_only: bool
    destructive: bool
    attacker: Level | None
    explain_model: bool
    clean: bool
    verbose: bool


def audit(
    *,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Read this instead of partywall.toml or pyproject.toml."),
    ] = None,
    url: Annotated[
        str, typer.Option(metavar="URL", help="An administrator's address of the database.")
    ] = "",
    output_format: Annotated[
        Format, typer.Option("--format", help="For people or for programs.")
    ] = Format.TEXT,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report there.")
    ] = None,
    on: Annotated[
        On | None,
        typer.Option(help="Attack a disposable copy (default), or the target, all rolled back."),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="On the target, only read rows that exist.")
    ] = False,
    destructive: Annotated[
        bool, typer.Option("--destructive", help="On the target, also attacks that lock much.")
    ] = False,
    attacker: Annotated[
        Level | None,
        typer.Option(help="Ordinary queries; any SQL; any SQL and any context."),
    ] = None,
    explain_model: Annotated[
        bool, typer.Option("--explain-model", help="Show what the survey assumes, and stop.")
    ] = False,
    clean: Annotated[
        bool, typer.Option("--clean", help="Drop copies that killed runs left behind.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Every witness and every row; tracebacks.")
    ] = False,
) -> None:
    """Attack a PostgreSQL database as its tenants would, and report what got through.

    Needs an administrator's address and two declared tenants (partywall.toml). By default nothing
    of the target is touched: the attacks run on a disposable copy of its structure.
    """
    if read_only and (destructive or on is On.COPY):
        other = "--destructive" if destructive else "--on copy"
        raise typer.BadParameter(f"--read-only reads the target's own rows: not with {other}")
    if destructive and on is not On.TARGET:
        raise typer.BadParameter("--destructive is for --on target: a copy is always attacked so")
    if output and not output.absolute().parent.is_dir():
        raise typer.BadParameter(f"--output: there is no folder {output.absolute().parent}")

    place = On.TARGET if read_only else on or On.COPY
    asked = Asked(
        config, url, output_format, output, place, read_only, destructive, attacker,
        explain_model, clean, verbose,
    )  # fmt: skip

    def command() -> int:
        from partywall.cli.surveying import run  # noqa: PLC0415 - a driver and a parser: 0.3 s

        return run(asked)

    raise typer.Exit(exit_code(command, verbose=verbose))
