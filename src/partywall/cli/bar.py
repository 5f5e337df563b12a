"""The line on standard error that says what goes on, for as long as it goes on."""

from __future__ import annotations

import sys
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)


def bar(console: Console | None, *, timed: bool = False) -> Progress:
    """A line that goes away in the end, and that only a terminal gets; its task has a `told`.

    *timed* adds the time that is left, where all steps take about as long.
    """
    left: list[ProgressColumn] = [TextColumn("left"), TimeRemainingColumn()] if timed else []
    console = console or Console(file=sys.stderr)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[told]}"),
        *left,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=False,
    )


class Line:
    """What a survey is doing: shown while its block lasts, and only to a terminal."""

    def __init__(self, console: Console | None = None, *, timed: bool = False) -> None:
        """Prepare it; see `bar`."""
        self._bar = bar(console, timed=timed)
        self._task = self._bar.add_task("connecting", total=None, told="")

    def __enter__(self) -> Self:
        """Show it."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove it."""
        self._bar.stop()

    def stage(self, name: str) -> None:
        """Name what begins."""
        self._bar.update(self._task, description=name)
