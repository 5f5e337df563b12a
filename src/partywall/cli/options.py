"""Options that several surveys have, and what is refused before any of them begins."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from partywall.reports.formats import Format


class Level(StrEnum):
    """How far the attacker goes."""

    QUERY = "query"
    SQL = "sql"
    CONTEXT = "context"


ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Read this instead of partywall.toml or pyproject.toml."),
]
UrlOption: TypeAlias = Annotated[
    str, typer.Option(metavar="URL", help="An administrator's address of the database.")
]
AttackerOption: TypeAlias = Annotated[
    Level | None, typer.Option(help="Ordinary queries; any SQL; any SQL and any context.")
]
FormatOption: TypeAlias = Annotated[
    Format | None,
    typer.Option(
        "--format",
        help="What standard output gets, unless a file gets it; text where nothing is said.",
    ),
]
OutputOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        metavar="[FORMAT:]FILE",
        help="Write the report there, in the format of its ending: .html .sarif .json .xml (JUnit) "
        ".md .txt, gl-code-quality-report.json, or as FORMAT says. Repeat.",
    ),
]
BaselineOption: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Fail only on what isn't known there already.")
]
UpdateBaselineOption: TypeAlias = Annotated[
    bool, typer.Option("--update-baseline", help="Write what is found to --baseline.")
]
ToolOption: TypeAlias = Annotated[
    str, typer.Option(metavar="NAME", help="The tool of the migrations, where it is not seen.")
]
PythonOption: TypeAlias = Annotated[
    str, typer.Option(metavar="FILE", help="The project's Python, for Alembic and Django.")
]


def placed(option: str, file: Path | None) -> None:
    """Refuse a file whose folder isn't there, before a survey that takes minutes."""
    if file and not file.absolute().parent.is_dir():
        raise typer.BadParameter(f"{option}: there is no folder {file.absolute().parent}")


def checked(baseline: Path | None, *, update: bool) -> None:
    """Refuse options of a baseline that can't work, before anything is surveyed."""
    if update and baseline is None:
        raise typer.BadParameter("--update-baseline needs --baseline FILE, to write to")
    if update:
        placed("--baseline", baseline)
