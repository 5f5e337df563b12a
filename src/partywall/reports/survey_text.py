"""A survey of several layers for people: each layer's own report, then all verdicts together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from partywall.reports import layer_text, text
from partywall.reports.style import COLOURS, GLYPHS, WIDEST, number
from partywall.reports.survey_overview import attempts, summary
from partywall.reports.text import say, title
from partywall.survey.http.report import HttpReport
from partywall.survey.verdict import Report

if TYPE_CHECKING:
    from rich.console import Console

    from partywall.survey.layers import AnyLayer, WholeReport


def show(whole: WholeReport, console: Console, *, verbose: bool = False) -> None:
    """Write the report of every layer, and what they say together."""
    for name, one in whole.layers.items():
        console.print(Rule(Text(name, "bold"), style="dim"), width=min(console.width, WIDEST))
        _layer(one, console, verbose=verbose)
        console.print()
    title(console, "all layers")
    table = Table.grid(padding=(0, 2))
    for name, one in whole.layers.items():
        glyph, colour = GLYPHS[one.verdict][0], COLOURS[one.verdict]
        table.add_row(
            Text(f"{glyph} {one.verdict}", colour),
            Text(name, "bold"),
            number(attempts(one), "attempt"),
            text.controls(one),
            f"{one.duration_s:.1f} s",
        )
    console.print(table)
    for told in whole.left:
        say(console, f"- {told}", "dim", hang=2)
    console.print()
    glyph, colour = GLYPHS[whole.verdict][0], COLOURS[whole.verdict]
    head = (f"{glyph} {whole.verdict}", f"bold {colour}")
    say(console, Text.assemble(head, "  ", (summary(whole), colour)), hang=2)


def _layer(one: AnyLayer, console: Console, *, verbose: bool) -> None:
    if isinstance(one, Report):
        text.show(one, console, verbose=verbose)
    elif isinstance(one, HttpReport):
        from partywall.reports import probe_text  # noqa: PLC0415 - partywall[probe]

        probe_text.show(one, console, verbose=verbose)
    else:
        layer_text.show(one, console, verbose=verbose)
