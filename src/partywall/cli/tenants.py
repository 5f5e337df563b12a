"""`partywall tenants`: who lives here."""

from __future__ import annotations

from typing import Annotated

import typer

from partywall.cli.where import (
    AppOption,
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

tenants = group("List, make, suspend and remove tenants.")


@tenants.command("list")
def list_(
    *,
    status: Annotated[
        str, typer.Option(metavar="STATUS", help="Only those that are active, suspended, …")
    ] = "",
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """List the tenants by their slugs."""

    def command() -> int:
        from partywall.cli.house import tenants as house  # noqa: PLC0415 - SQLAlchemy: 0.2 s

        return house.listing(Where(control, config, output_format), status)

    end(command, verbose=verbose)


@tenants.command()
def create(
    *,
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="What people will type.")],
    owner: Annotated[str, typer.Option(metavar="EMAIL", help="Who owns it: a user, or a new one.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="What people will read.")] = "",
    placement: Annotated[
        str, typer.Option(metavar="SERVER", help="The name of its server, where there are several.")
    ] = "",
    wait: Annotated[
        bool,
        typer.Option("--wait/--no-wait", help="Work on it here, until it is active or failed."),
    ] = True,
    app: AppOption = "",
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """Make a tenant with its owner, and all that it needs in the application's database.

    A new owner has no password: they set one where the application lets them, or its own log-in
    knows them.
    """

    def command() -> int:
        from partywall.cli.house import moving as house  # noqa: PLC0415 - as above

        where = Where(control, config, output_format, app)
        return house.create(where, slug, name or slug, owner, placement=placement, wait=wait)

    end(command, verbose=verbose)


@tenants.command()
def show(
    *,
    tenant: TenantArgument,
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """Show a tenant: how it stands, its domains and members, what was last done to it."""

    def command() -> int:
        from partywall.cli.house import tenants as house  # noqa: PLC0415 - as above

        return house.show(Where(control, config, output_format), tenant)

    end(command, verbose=verbose)


@tenants.command()
def suspend(
    *,
    tenant: TenantArgument,
    reason: Annotated[str, typer.Option(metavar="WORDS", help="Why; it goes into its log.")] = "",
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """Let nobody into a tenant, at once and in every process; its data stays."""

    def command() -> int:
        from partywall.cli.house import tenants as house  # noqa: PLC0415 - as above

        return house.suspend(Where(control, config, output_format), tenant, reason)

    end(command, verbose=verbose)


@tenants.command()
def resume(
    *,
    tenant: TenantArgument,
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """Let people in again; a removal whose grace period has not ended is revoked."""

    def command() -> int:
        from partywall.cli.house import tenants as house  # noqa: PLC0415 - as above

        return house.resume(Where(control, config, output_format), tenant)

    end(command, verbose=verbose)


@tenants.command()
def delete(
    *,
    tenant: TenantArgument,
    grace_days: Annotated[
        int, typer.Option("--grace", metavar="DAYS", min=0, help="How long it can be kept still.")
    ] = 30,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="With --grace 0: work on it here, to the end.")
    ] = True,
    yes: YesOption = False,
    app: AppOption = "",
    control: ControlOption = "",
    config: ConfigOption = None,
    output_format: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
) -> None:
    """Let nobody into a tenant, and delete all its data after a grace period.

    Asks for the slug first. Until the grace period ends `partywall tenants resume` takes it back.
    """

    def command() -> int:
        from partywall.cli.house import moving as house  # noqa: PLC0415 - as above

        where = Where(control, config, output_format, app)
        return house.delete(where, tenant, grace_days, wait=wait, yes=yes)

    end(command, verbose=verbose)
