"""`partywall domains`: the domains that lead to a tenant."""

from __future__ import annotations

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
    YesOption,
    end,
    group,
)

domains = group("List, claim, verify and remove the domains of a tenant.")

NameArgument = Annotated[str, typer.Argument(metavar="DOMAIN", help="As in app.acme.example.")]


@domains.command("list")
def list_(
    *,
    tenant: TenantArgument,
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """List a tenant's domains, and which of them lead to it."""

    def command() -> int:
        from partywall.cli.house import domains as house  # noqa: PLC0415 - SQLAlchemy: 0.2 s

        return house.listing(Where(control, config, output_format), tenant)

    end(command, verbose=verbose)


@domains.command()
def claim(
    *,
    tenant: TenantArgument,
    name: NameArgument,
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """Claim a domain for a tenant; says what its DNS must have before it is verified."""

    def command() -> int:
        from partywall.cli.house import domains as house  # noqa: PLC0415 - as above

        return house.claim(Where(control, config, output_format), tenant, name)

    end(command, verbose=verbose)


@domains.command()
def verify(
    *,
    tenant: TenantArgument,
    name: NameArgument,
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """Ask the DNS whether a domain is the tenant's; from then on it leads to it."""

    def command() -> int:
        from partywall.cli.house import domains as house  # noqa: PLC0415 - as above

        return house.verify(Where(control, config, output_format), tenant, name)

    end(command, verbose=verbose)


@domains.command()
def remove(
    *,
    tenant: TenantArgument,
    name: NameArgument,
    yes: YesOption = False,
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """Let a domain lead to the tenant no more; asks first."""

    def command() -> int:
        from partywall.cli.house import domains as house  # noqa: PLC0415 - as above

        return house.remove(Where(control, config, output_format), tenant, name, yes=yes)

    end(command, verbose=verbose)
