"""`partywall demo`: a small application, sound and with the usual mistakes, surveyed."""

from __future__ import annotations

from typing import Annotated

import typer

from partywall.cli.ending import exit_code


def demo(
    plain: Annotated[bool, typer.Option("--plain", help="Without animation.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Every witness and every row; tracebacks.")
    ] = False,
) -> None:
    """Survey a small application before your eyes: as it should be, and with the usual mistakes.

    Starts a PostgreSQL server of its own and removes it at the end; needs no configuration.
    """

    def command() -> int:
        from partywall.cli.tour import show  # noqa: PLC0415 - for a fast --help

        return show(plain=plain, verbose=verbose)

    raise typer.Exit(exit_code(command, verbose=verbose))
