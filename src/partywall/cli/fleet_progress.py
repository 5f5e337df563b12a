"""How far a survey of every tenant is, on standard error, for as long as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.cli.bar import Line
from partywall.reports.style import number
from partywall.survey.fleet.survey import FleetWatch

if TYPE_CHECKING:
    from rich.console import Console

    from partywall.survey.fleet.turn import Turn


class FleetProgress(Line, FleetWatch):
    """Tenants, surfaces, breaches and the time that is left; silent without a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        """Prepare a line that goes away when the survey is done."""
        super().__init__(console, timed=True)
        self._surfaces = 0
        self._breached: set[tuple[str, str]] = set()

    def planned(self, tenants: int, surfaces: int, done: int) -> None:
        """So many tenants there are."""
        self._surfaces = surfaces
        self._bar.update(self._task, total=tenants, completed=done)

    def turned(self, turn: Turn) -> None:
        """Count it."""
        self._breached |= {(one.at, one.effect) for one in turn.reached}
        task = self._bar.tasks[self._task]
        told = [
            f"{int(task.completed) + 1:,} of {number(int(task.total or 0), 'tenant')}",
            number(self._surfaces, "surface"),
        ]
        if self._breached:
            told.append(f"[bold red]{number(len(self._breached), 'breach', 'breaches')}[/]")
        self._bar.update(self._task, advance=1, told=", ".join(told))
