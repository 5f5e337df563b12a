"""`partywall init`: write a partywall.toml to begin with."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from partywall.cli.ending import exit_code

FILE = Path("partywall.toml")
STANDARD_OUTPUT = Path("-")


class Format(StrEnum):
    """For people or for programs."""

    TOML = "toml"
    JSON = "json"


def init(
    *,
    url: Annotated[
        str, typer.Option(metavar="URL", help="An administrator's address of the database.")
    ] = "",
    openapi: Annotated[
        str, typer.Option(metavar="URL", help="The description of an API, for `partywall probe`.")
    ] = "",
    base: Annotated[str, typer.Option(metavar="URL", help="The API's address.")] = "",
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Instead of partywall.toml; - for standard output."),
    ] = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="The file, or what was detected (standard output).")
    ] = Format.TOML,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tracebacks.")] = False,
) -> None:
    """Write a commented partywall.toml from what a database gives away.

    The tenants, how the application becomes them, and what belongs to them are detected; what could
    not be is a comment with the question to answer. Nothing is attacked, no secret is written.
    """
    url = url or os.environ.get("PARTYWALL_DATABASE_URL", "")
    if bool(openapi) != bool(base):
        raise typer.BadParameter(
            "--openapi and --base go together: where the API is, and what it is"
        )
    if not (url or base):
        raise typer.BadParameter(
            "nothing to detect from: give --url postgresql://… (or PARTYWALL_DATABASE_URL), or "
            "--openapi and --base"
        )
    file = output or (STANDARD_OUTPUT if output_format is Format.JSON else FILE)
    if file != STANDARD_OUTPUT and file.exists() and not force:
        raise typer.BadParameter(f"{file} is there already: --force overwrites it")

    def command() -> int:
        from partywall.cli.beginning import run  # noqa: PLC0415 - a driver and a parser: 0.3 s

        shown = None if file == STANDARD_OUTPUT else file
        return run(url, (openapi, base), shown, as_json=output_format is Format.JSON)

    raise typer.Exit(exit_code(command, verbose=verbose, interrupted="nothing was written"))
