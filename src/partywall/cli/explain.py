"""`partywall explain`: what a finding is about."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from partywall.cli.ending import HELD, exit_code


class Format(StrEnum):
    """How a page is written."""

    TEXT = "text"
    JSON = "json"


def explain(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A finding's name, or its code.")
    ] = "",
    *,
    output_format: Annotated[
        Format, typer.Option("--format", help="For people or for programs.")
    ] = Format.TEXT,
) -> None:
    """Say what a finding is about: the hazard, who is affected, examples, the fix, the source.

    Without NAME it lists all of them.
    """

    def command() -> int:
        from partywall.cli.output import write  # noqa: PLC0415 - a parser and every attack: 0.3 s
        from partywall.reports import explanation, json  # noqa: PLC0415
        from partywall.survey.explaining import pages  # noqa: PLC0415

        if not name:
            every = pages.pages()
            if output_format is Format.JSON:
                write(json.written([explanation.document(one) for one in every]), None)
            else:
                write(lambda console: explanation.index(every, console), None)
            return HELD
        found = pages.page(name)
        if output_format is Format.JSON:
            write(json.written(explanation.document(found)), None)
        else:
            write(lambda console: explanation.show(found, console), None)
        return HELD

    raise typer.Exit(exit_code(command))
