"""`partywall members`: who belongs to a tenant."""

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

members = group("List, add and remove the members of a tenant, and change their roles.")

UserArgument = Annotated[str, typer.Argument(metavar="USER", help="Their address or their id.")]


@members.command("list")
def list_(
    *,
    tenant: TenantArgument,
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """List a tenant's members with their roles."""

    def command() -> int:
        from partywall.cli.house import members as house  # noqa: PLC0415 - SQLAlchemy: 0.2 s

        return house.listing(Where(control, config, output_format), tenant)

    end(command, verbose=verbose)


@members.command()
def add(
    *,
    tenant: TenantArgument,
    user: UserArgument,
    role: Annotated[
        str, typer.Option(metavar="ROLE", help="owner, admin, member, or one of the tenant's own.")
    ] = "member",
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """Make a user a member; who is no user yet needs an invitation by a member."""

    def command() -> int:
        from partywall.cli.house import members as house  # noqa: PLC0415 - as above

        return house.add(Where(control, config, output_format), tenant, user, role)

    end(command, verbose=verbose)


@members.command()
def role(
    *,
    tenant: TenantArgument,
    user: UserArgument,
    to: Annotated[str, typer.Argument(metavar="ROLE", help="Their role from now on.")],
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """Give a member another role, at once and in every process."""

    def command() -> int:
        from partywall.cli.house import members as house  # noqa: PLC0415 - as above

        return house.role(Where(control, config, output_format), tenant, user, to)

    end(command, verbose=verbose)


@members.command()
def remove(
    *,
    tenant: TenantArgument,
    user: UserArgument,
    yes: YesOption = False,
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """End a membership with its tokens and API keys, at once; asks first."""

    def command() -> int:
        from partywall.cli.house import members as house  # noqa: PLC0415 - as above

        return house.remove(Where(control, config, output_format), tenant, user, yes=yes)

    end(command, verbose=verbose)
