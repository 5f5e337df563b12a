"""The command `partywall`: parsing and exit codes; each command is a module of its own.

Nothing heavy is imported before a command runs, so that help and completion answer at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from partywall import __version__
from partywall.cli.audit import audit
from partywall.cli.demo import demo
from partywall.cli.diff import diff
from partywall.cli.domains import domains
from partywall.cli.explain import explain
from partywall.cli.fix import fix
from partywall.cli.init import init
from partywall.cli.log import log
from partywall.cli.members import members
from partywall.cli.probe import probe
from partywall.cli.quotas import quotas
from partywall.cli.survey import survey
from partywall.cli.tenants import tenants

app = typer.Typer(
    help="Builds the walls between the tenants of one application, and proves that they hold.",
    epilog="Exit codes: 0 held, 1 breached, 2 usage or configuration, 3 undecided, 70 our fault.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(init)
app.command()(audit)
app.command()(probe)
app.command()(survey)
app.command()(diff)
app.command()(fix)
app.command()(explain)
app.command()(demo)
for _name, _group in {
    "tenants": tenants,
    "domains": domains,
    "members": members,
    "log": log,
    "quotas": quotas,
}.items():
    app.add_typer(_group, name=_name)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"partywall {__version__}")
        raise typer.Exit


@app.callback()
def _partywall(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Options of `partywall` itself."""


def main() -> None:
    """Run the command line and exit with its code."""
    app(prog_name="partywall")
