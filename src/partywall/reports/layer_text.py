"""A further layer's report for people: surfaces by attack, then each breach with its witness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from partywall.reports.layer_overview import breaches, doubts, matrix, summary, variables
from partywall.reports.style import COLOURS, GLYPHS, WIDEST, listed, number, sign
from partywall.reports.text import (
    accepted,
    breached,
    controls,
    known,
    legend,
    mended,
    remarks,
    say,
    title,
)

if TYPE_CHECKING:
    from rich.console import Console

    from partywall.reports.overview import Breach
    from partywall.survey.layers import LayerReport

FEW = 8
"""So many reasons why something proves nothing are shown, unless all is asked for."""


def show(report: LayerReport, console: Console, *, verbose: bool = False) -> None:
    """Write the whole report of a layer; *verbose* shows every reason."""
    console.print(Text.assemble((f"{report.layer} ", "bold"), (report.target, "bold cyan")))
    if report.tenants:
        say(console, f"tenants {listed(report.tenants)}", "dim")
    _grid(report, console)
    _breaches(report, console)
    _undecided(report, console)
    known(report, console)
    accepted(report.excepted, console)
    remarks(report, console)
    _left(report, console, verbose=verbose)
    _closing(report, console)


def _grid(report: LayerReport, console: Console) -> None:
    """A line for each surface and attack: few of them, and their names are long."""
    found = matrix(report)
    if not found:
        return
    console.print()
    longest = max(cell_len(name) for cells in found.values() for name in cells)
    for at, cells in found.items():
        say(console, Text(at, "bold red" if "breached" in cells.values() else ""))
        for name, state in cells.items():
            console.print(Text.assemble("  ", f"{name:<{longest}}", "  ", sign(state)))
    console.print()
    console.print(legend([one.state for one in report.tried]))


def _breaches(report: LayerReport, console: Console) -> None:
    found = breaches(report.findings)
    if not found:
        return
    places = len({one.at for one in found})
    counted = number(len(found), "breach", "breaches")
    title(console, f"{counted} of {number(places, 'surface')}")
    steps = [step for one in report.findings for step in one.witness]
    for export, what in variables(steps, report.tenants):
        console.print(Text(f"  {export}  # {what}", "dim"), soft_wrap=True)
    for one in found:
        console.print()
        say(console, Text(one.at, "bold"), hang=4)
        _breach(console, one)


def _breach(console: Console, one: Breach) -> None:
    breached(console, one.finding, one.also)
    for line in one.replay.splitlines():
        style = "yellow" if line.startswith(("#>", "-->")) else "cyan"
        style = "dim" if line.startswith(("# ", "-- ")) else style
        for part in Text(line).wrap(console, min(console.width, WIDEST) - 6):
            console.print(Text(f"      {part.plain.rstrip()}", style), soft_wrap=True)
    mended(console, one.finding)


def _undecided(report: LayerReport, console: Console) -> None:
    found = doubts(report.undecided)
    if not found:
        return
    title(console, f"{len(found)} undecided")
    for one in found:
        head = Text.assemble(
            sign("undecided"), " ", (one.at, "bold"), (f"  {one.column}", "yellow")
        )
        say(console, head, hang=2)
        say(console, one.because, indent=4)


def _left(report: LayerReport, console: Console, *, verbose: bool) -> None:
    """What was not tried, and what proves nothing, by its reason."""
    told = {one.because for one in doubts(report.undecided)}
    reasons: dict[str, list[str]] = {}
    for one in report.tried:
        if one.state == "undecided" and one.because not in told:
            way = f"{one.at}: {one.attack}, {one.attacker} → {one.victim}"
            reasons.setdefault(one.because, []).append(way)
    if not (report.left or reasons):
        return
    title(console, "not tried")
    for line in report.left:
        say(console, f"- {line}", hang=2)
    for because, ways in list(reasons.items())[: None if verbose else FEW]:
        say(console, f"- {because}: {number(len(ways), 'attempt')}", hang=2)
        for way in ways if verbose else ():
            say(console, way, "dim", 4, 2)


def _closing(report: LayerReport, console: Console) -> None:
    console.print()
    numbers = [number(len(report.tried), "attempt"), controls(report), f"{report.duration_s:.1f} s"]
    say(console, ", ".join(numbers), "dim")
    colour = COLOURS[report.verdict]
    head = (f"{GLYPHS[report.verdict][0]} {report.verdict}", f"bold {colour}")
    say(console, Text.assemble(head, "  ", (summary(report), colour)), hang=2)
