"""`partywall diff`: which walls a change weakened."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from partywall.cli.ending import exit_code
from partywall.cli.options import (
    AttackerOption,
    ConfigOption,
    Level,
    PythonOption,
    ToolOption,
    placed,
)


class DiffFormat(StrEnum):
    """How a difference is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    old: str
    new: str
    config: Path | None
    attacker: Level | None
    output_format: DiffFormat
    output: Path | None
    verbose: bool
    migrations_tool: str = ""
    python: str = ""


def diff(
    old: Annotated[
        str,
        typer.Argument(
            metavar="OLD",
            help="A database's address, a folder of migrations, or a saved JSON report.",
        ),
    ],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same: what became of it.")],
    *,
    config: ConfigOption = None,
    attacker: AttackerOption = None,
    output_format: Annotated[
        DiffFormat, typer.Option("--format", help="For people, programs or a pull request.")
    ] = DiffFormat.TEXT,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the difference there.")
    ] = None,
    migrations_tool: ToolOption = "",
    python: PythonOption = "",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Every surface by name; tracebacks.")
    ] = False,
) -> None:
    """Say which walls a change weakened: what works on NEW and did not on OLD, with its witness.

    Each is an administrator's address of a database, which is surveyed now; a folder of migrations,
    which are run on a disposable server first; or a report that `partywall audit` or `partywall
    probe` wrote as JSON. The tenants of partywall.toml are those of both databases; their addresses
    are turned to the server and the database of each.
    """
    placed("--output", output)
    asked = Asked(
        old, new, config, attacker, output_format, output, verbose, migrations_tool, python
    )

    def command() -> int:
        from partywall.cli.comparing import run  # noqa: PLC0415 - a driver and a parser: 0.3 s

        return run(asked)

    raise typer.Exit(exit_code(command, verbose=verbose))
