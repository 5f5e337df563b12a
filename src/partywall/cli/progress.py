"""What a survey is doing, on standard error, for as long as it does it."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as Bar

from partywall.reports.style import number
from partywall.survey.audit import Watch

if TYPE_CHECKING:
    from partywall.survey.engine import Judged
    from partywall.survey.verdict import State


class Progress(Watch):
    """The stage, how many attempts are done, how many got through; silent without a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        """Prepare a line that goes away when the survey is done."""
        console = console or Console(file=sys.stderr)
        self._states: Counter[State] = Counter()
        self._attempts = ""
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[told]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            redirect_stdout=False,
        )
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

    def planned(self, attempts: int) -> None:
        """So many attempts there are."""
        self._attempts = number(attempts, "attempt")
        self._bar.update(self._task, total=attempts, completed=0)

    def judged(self, one: Judged) -> None:
        """Count it."""
        self._states[one.state] += 1
        told = [f"{self._states.total():,} of {self._attempts}"]
        if breaches := self._states["breached"]:
            told.append(f"[bold red]{number(breaches, 'breach', 'breaches')}[/]")
        if open_ones := self._states["undecided"]:
            told.append(f"[yellow]{open_ones} undecided[/]")
        self._bar.update(self._task, advance=1, told=", ".join(told))
