"""What a survey is doing, on standard error, for as long as it does it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from partywall.cli.bar import Line
from partywall.reports.style import number
from partywall.survey.audit import Watch

if TYPE_CHECKING:
    from rich.console import Console

    from partywall.survey.engine import Judged
    from partywall.survey.verdict import State


class Progress(Line, Watch):
    """The stage, how many attempts are done, how many got through; silent without a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        """Prepare a line that goes away when the survey is done."""
        super().__init__(console)
        self._states: Counter[State] = Counter()
        self._attempts = ""

    def planned(self, attempts: int) -> None:
        """So many attempts there are."""
        self._attempts = number(attempts, "attempt")
        self._bar.update(self._task, total=attempts, completed=0)

    def judged(self, one: Judged) -> None:
        """Count it."""
        self._states[one.state] += 1
        told = [f"{self._states.total():,} of {self._attempts}", *counts(self._states)]
        self._bar.update(self._task, advance=1, told=", ".join(told))


def counts(states: Counter[State]) -> list[str]:
    """What asks for attention, in its colours."""
    told = []
    if breaches := states["breached"]:
        told.append(f"[bold red]{number(breaches, 'breach', 'breaches')}[/]")
    if open_ones := states["undecided"]:
        told.append(f"[yellow]{open_ones} undecided[/]")
    return told
