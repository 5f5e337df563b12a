"""`partywall probe`: survey an HTTP API."""

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
    placed,
)
from partywall.reports.formats import Format

INTERRUPTED = "what was created for this run has been removed, as far as the API let it"


class Pairs(StrEnum):
    """Who attacks whom."""

    RING = "ring"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    config: Path | None
    base: str
    openapi: str
    app: str
    read_only: bool
    pairs: Pairs
    seed: int | None
    journal: Path | None
    rate: float | None
    deny: tuple[str, ...]
    timing: bool
    output_format: Format | None
    output: tuple[str, ...]
    emit_tests: Path | None
    verbose: bool
    baseline: Path | None = None
    update_baseline: bool = False


def probe(
    *,
    config: ConfigOption = None,
    base: Annotated[str, typer.Option(metavar="URL", help="The API's address.")] = "",
    openapi: Annotated[
        str, typer.Option(metavar="URL|FILE", help="Its description, OpenAPI 3.0 or 3.1.")
    ] = "",
    app: Annotated[
        str,
        typer.Option(
            metavar="MODULE:ATTR",
            help="Its ASGI or WSGI application: routes are read, and without --base it is served.",
        ),
    ] = "",
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Ask only what promises to change nothing.")
    ] = False,
    pairs: Annotated[
        Pairs, typer.Option(help="Each tenant attacks its neighbours, or every other one.")
    ] = Pairs.RING,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Make the choices of another run again.")
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep progress there; a run that was stopped goes on from it."
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(metavar="N", min=0, help="Requests a second at most; 0: as fast as it can."),
    ] = None,
    deny: Annotated[
        list[str] | None,
        typer.Option(metavar='"METHOD /path"', help="Leave it out; * stands for anything. Repeat."),
    ] = None,
    timing: Annotated[
        bool, typer.Option("--timing", help="Also compare times of answers; takes long.")
    ] = False,
    output_format: FormatOption = None,
    output: OutputOption = None,
    emit_tests: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a pytest file there that fails until breaches are mended."
        ),
    ] = None,
    baseline: BaselineOption = None,
    update_baseline: UpdateBaselineOption = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Every way, every row, every reason; tracebacks."),
    ] = False,
) -> None:
    """Attack an HTTP API as its tenants would, and report what got through.

    Needs the API's address, its OpenAPI description and two tenants' credentials (partywall.toml).
    Creates what it attacks, as each tenant, and removes it in the end.
    """
    placed("--emit-tests", emit_tests)
    placed("--journal", journal)
    checked(baseline, update=update_baseline)
    asked = Asked(
        config, base, openapi, app, read_only, pairs, seed, journal, rate, tuple(deny or ()),
        timing, output_format, tuple(output or ()), emit_tests, verbose, baseline, update_baseline,
    )  # fmt: skip

    def command() -> int:
        from partywall.cli.probing import run  # noqa: PLC0415 - a client and a generator: 1 s

        return run(asked)

    raise typer.Exit(exit_code(command, verbose=verbose, interrupted=INTERRUPTED))
