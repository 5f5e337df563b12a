"""`partywall log`: the audit logs of the tenants."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from partywall.cli.where import (
    ConfigOption,
    ControlOption,
    Format,
    FormatOption,
    VerboseOption,
    Where,
    end,
    group,
)

log = group("Show, export and check the audit logs.")

LogArgument = Annotated[
    str,
    typer.Argument(metavar="TENANT", help="Its slug or its id; - for what concerns no tenant."),
]


@log.command()
def show(
    *,
    tenant: LogArgument,
    after: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=0, help="From the entry after this one on.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many entries at most.")] = 50,
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """Show a tenant's log; without --after its last entries."""

    def command() -> int:
        from partywall.cli.house import log as house  # noqa: PLC0415 - SQLAlchemy: for a fast --help

        return house.show(Where(control, config, output_format), tenant, after=after, limit=limit)

    end(command, verbose=verbose)


@log.command()
def export(
    *,
    tenant: LogArgument,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it there.")] = None,
    control: ControlOption = "",
    config: ConfigOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Write a tenant's whole log as JSON lines, which `log verify --file` checks anywhere.

    What to keep apart from it, the number and the hash of its last entry, goes to standard error.
    """

    def command() -> int:
        from partywall.cli.house import log as house  # noqa: PLC0415 - as above

        return house.export(Where(control, config, Format.JSON), tenant, output)

    end(command, verbose=verbose)


@log.command()
def verify(
    *,
    tenant: Annotated[
        str,
        typer.Argument(
            metavar="TENANT",
            help="Its slug or its id; - for what concerns no tenant; all logs without it.",
        ),
    ] = "",
    head: Annotated[
        str,
        typer.Option(
            metavar="NUMBER:HASH",
            help="The last entry at an earlier time: shows whether the log was cut off since.",
        ),
    ] = "",
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Check an export instead; no database is asked."),
    ] = None,
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """Check the chain of hashes; exit code 1 when one is broken, and at which entry.

    Keep what it prints of each log, the number and the hash of its last entry, where who can write
    to the database can't: given back with --head it shows what was cut off or made anew since.
    """
    if head and not (tenant or file):
        raise typer.BadParameter("--head is of one log: name its tenant, or its --file")
    if tenant and file:
        raise typer.BadParameter("--file is checked by itself: name no tenant")

    def command() -> int:
        from partywall.cli.house import log as house  # noqa: PLC0415 - as above

        where = Where(control, config, output_format)
        if file:
            return house.verify_file(where, file, head)
        return house.verify(where, tenant, head)

    end(command, verbose=verbose)
