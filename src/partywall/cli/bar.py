"""The line on standard error that says what goes on, for as long as it goes on."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn


def bar(console: Console | None) -> Progress:
    """A line that goes away in the end, and that only a terminal gets; its task has a `told`."""
    console = console or Console(file=sys.stderr)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[told]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=False,
    )
