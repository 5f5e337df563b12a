"""`partywall quotas`: how much a tenant may have, and has."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from partywall.cli.where import (
    ConfigOption,
    ControlOption,
    Format,
    FormatOption,
    TenantArgument,
    VerboseOption,
    Where,
    end,
    group,
)

quotas = group("Show and set how much a tenant may have.")

NONE = "none"
KIND = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
WHOLE = re.compile(r"[0-9]{1,15}")


@quotas.command()
def show(
    *,
    tenant: TenantArgument,
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """Show what a tenant may have and has used; what a running process reserves counts as used."""

    def command() -> int:
        from partywall.cli.house import quotas as house  # noqa: PLC0415 - SQLAlchemy: 0.2 s

        return house.show(Where(control, config, output_format), tenant)

    end(command, verbose=verbose)


@quotas.command("set")
def set_(
    *,
    tenant: TenantArgument,
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="rows, members, requests_per_minute, …")
    ],
    limit: Annotated[
        str, typer.Argument(metavar="LIMIT", help=f"A whole number, or {NONE} for no limit.")
    ],
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """Set a limit, or lift it."""
    if not KIND.fullmatch(kind):
        raise typer.BadParameter("KIND is small letters and digits, as in requests_per_minute")
    if limit != NONE and not WHOLE.fullmatch(limit):
        raise typer.BadParameter(f"LIMIT is a whole number of up to 15 digits, or {NONE}")

    def command() -> int:
        from partywall.cli.house import quotas as house  # noqa: PLC0415 - as above

        number = None if limit == NONE else int(limit)
        return house.set_limit(Where(control, config, output_format), tenant, kind, number)

    end(command, verbose=verbose)
