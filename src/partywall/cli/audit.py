"""`partywall audit`: survey a PostgreSQL database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from partywall.cli.ending import REMOVED, exit_code
from partywall.cli.options import (
    AttackerOption,
    BaselineOption,
    ConfigOption,
    FormatOption,
    Level,
    OutputOption,
    PythonOption,
    ToolOption,
    UpdateBaselineOption,
    UrlOption,
    checked,
    placed,
)
from partywall.reports.formats import Format


class On(StrEnum):
    """Where the attempts run."""

    COPY = "copy"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    config: Path | None
    url: str
    output_format: Format | None
    output: tuple[str, ...]
    on: On
    read_only: bool
    destructive: bool
    attacker: Level | None
    explain_model: bool
    clean: bool
    verbose: bool
    baseline: Path | None = None
    update_baseline: bool = False
    migrations: Path | None = None
    migrations_tool: str = ""
    python: str = ""
    all_tenants: bool = False
    workers: int = 0
    journal: Path | None = None


def audit(
    *,
    config: ConfigOption = None,
    url: UrlOption = "",
    output_format: FormatOption = None,
    output: OutputOption = None,
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
    attacker: AttackerOption = None,
    explain_model: Annotated[
        bool, typer.Option("--explain-model", help="Show what the survey assumes, and stop.")
    ] = False,
    clean: Annotated[
        bool, typer.Option("--clean", help="Drop copies that killed runs left behind.")
    ] = False,
    baseline: BaselineOption = None,
    update_baseline: UpdateBaselineOption = False,
    migrations: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Survey what these migrations make, on a disposable server."
        ),
    ] = None,
    migrations_tool: ToolOption = "",
    python: PythonOption = "",
    all_tenants: Annotated[
        bool, typer.Option("--all-tenants", help="Let every tenant at all others, on the target.")
    ] = False,
    workers: Annotated[
        int, typer.Option(metavar="N", min=0, max=32, help="With --all-tenants: so many at a time.")
    ] = 0,
    journal: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --all-tenants: go on from there after a stop."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Every witness and every row; tracebacks.")
    ] = False,
) -> None:
    """Attack a PostgreSQL database as its tenants would, and report what got through.

    Needs an administrator's address and two declared tenants (partywall.toml). By default nothing
    of the target is touched: the attacks run on a disposable copy of its structure.

    With --all-tenants each tenant there is reads what it can of all others, on the target itself;
    with --on target as well it also tries to change and remove it, all rolled back.
    """
    if read_only and (destructive or on is On.COPY):
        other = "--destructive" if destructive else "--on copy"
        raise typer.BadParameter(f"--read-only reads the target's own rows: not with {other}")
    if destructive and on is not On.TARGET:
        raise typer.BadParameter("--destructive is for --on target: a copy is always attacked so")
    checked(baseline, update=update_baseline)

    if migrations and (url or read_only):
        other = "--url" if url else "--read-only"
        raise typer.BadParameter(f"--migrations makes a database of its own: not with {other}")
    if (migrations_tool or python) and not migrations:
        raise typer.BadParameter("--migrations-tool and --python are for --migrations")

    if (workers or journal) and not all_tenants:
        raise typer.BadParameter("--workers and --journal are for --all-tenants")
    if all_tenants and (on is On.COPY or destructive or migrations or explain_model):
        raise typer.BadParameter(
            "--all-tenants reads rows that exist, on the target: not with --on copy, "
            "--destructive, --migrations or --explain-model"
        )
    placed("--journal", journal)

    place = On.TARGET if read_only else on or On.COPY
    asked = Asked(
        config, url, output_format, tuple(output or ()), place, read_only, destructive, attacker,
        explain_model, clean, verbose, baseline, update_baseline, migrations, migrations_tool,
        python, all_tenants, workers, journal,
    )  # fmt: skip

    def command() -> int:
        from partywall.cli.surveying import run  # noqa: PLC0415 - a driver and a parser: 0.3 s

        return run(asked)

    left = f"{REMOVED}; {_kept(journal)}" if all_tenants else REMOVED
    raise typer.Exit(exit_code(command, verbose=verbose, interrupted=left))


def _kept(journal: Path | None) -> str:
    if journal is None:
        return "with --journal FILE a next run would go on from here"
    return f"{journal} has the turns that were taken, and the same command goes on from there"
