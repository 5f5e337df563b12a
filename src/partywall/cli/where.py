"""Options that every command on the control plane has, and how such a command ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn, TypeAlias

import typer

from partywall.cli.ending import exit_code


class Format(StrEnum):
    """How a list is written."""

    TEXT = "text"
    JSON = "json"


ControlOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--control",
        metavar="URL",
        help="The control plane's database; else PARTYWALL_CONTROL, else [control] url.",
    ),
]
AppOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--app",
        metavar="MODULE:NAME",
        help="The application's ControlPlane, which makes and removes tenants; else [control] app.",
    ),
]
ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="Read this instead of partywall.toml or pyproject.toml."
    ),
]
FormatOption: TypeAlias = Annotated[
    Format, typer.Option("--format", help="For people or for programs.")
]
VerboseOption: TypeAlias = Annotated[
    bool, typer.Option("--verbose", "-v", help="Tracebacks of what went wrong.")
]
YesOption: TypeAlias = Annotated[bool, typer.Option("--yes", help="Don't ask; for scripts.")]
TenantArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="TENANT", help="Its slug or its id.")
]


@dataclass(frozen=True, slots=True)
class Where:
    """Which control plane a command is about, and how it answers.

    Attributes:
        control: a url, "" for what environment or file say.
        config: a file instead of the usual ones.
        output_format: for people or for programs.
        app: the application's plane, "" for what the file says.
    """

    control: str
    config: Path | None
    output_format: Format
    app: str = ""

    @property
    def json(self) -> bool:
        """Whether programs read it."""
        return self.output_format is Format.JSON


WHOLE = "a change is made as a whole or not at all; `partywall tenants show` says which"


def end(command: Callable[[], int], *, verbose: bool) -> NoReturn:
    """Run *command*, and leave with its exit code."""
    raise typer.Exit(exit_code(command, verbose=verbose, interrupted=WHOLE))


def group(summary: str) -> typer.Typer:
    """A command that has commands of its own."""
    return typer.Typer(
        help=summary,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
