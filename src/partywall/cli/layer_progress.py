"""What the survey of a further layer is doing, on standard error, for as long as it does it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from partywall.cli.bar import Line
from partywall.cli.progress import counts
from partywall.reports.style import number
from partywall.survey.layers import Watch

if TYPE_CHECKING:
    from rich.console import Console

    from partywall.survey.layers import Tried
    from partywall.survey.verdict import State


class LayerProgress(Line, Watch):
    """The layer and its stage, attempts, breaches; silent without a terminal."""

    def __init__(self, layer: str, console: Console | None = None) -> None:
        """Prepare a line that goes away when the layer is done."""
        super().__init__(console)
        self._layer = layer
        self._states: Counter[State] = Counter()
        self._attempts = ""
        self.stage("connecting")

    def stage(self, name: str) -> None:
        """Name what begins."""
        super().stage(f"{self._layer}: {name}")

    def planned(self, attempts: int) -> None:
        """So many attempts there are."""
        self._attempts = f" of {number(attempts, 'attempt')}"
        self._bar.update(self._task, total=attempts, completed=0)

    def judged(self, tried: Tried) -> None:
        """Count it."""
        self._states[tried.state] += 1
        told = [f"{self._states.total():,}{self._attempts}", *counts(self._states)]
        self._bar.update(self._task, advance=1, told=", ".join(told))
