"""What a probe is doing, on standard error, for as long as it does it."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from partywall.cli.bar import Line
from partywall.cli.progress import counts
from partywall.reports.style import number
from partywall.survey.http.watching import Watch

if TYPE_CHECKING:
    from rich.console import Console

    from partywall.survey.http.report import Tried
    from partywall.survey.verdict import State


class ProbeProgress(Line, Watch):
    """The stage, operations done, breaches, requests a second; silent without a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        """Prepare a line that goes away when the probe is done."""
        super().__init__(console)
        self._done: set[tuple[str, str, str]] = set()
        self._states: Counter[State] = Counter()
        self._planned = 0
        self._requests = 0
        self._began = time.monotonic()

    def planned(self, number: int) -> None:
        """So many operations there are to attack, each in its directions."""
        self._planned = number
        self._bar.update(self._task, total=number, completed=0)

    def judged(self, tried: Tried) -> None:
        """Count it."""
        self._done.add((tried.at, tried.attacker, tried.victim))
        self._states[tried.state] += 1
        self._show()

    def asked(self, requests: int) -> None:
        """Say how fast it goes."""
        self._requests = requests
        self._show()

    def _show(self) -> None:
        done = len(self._done)
        told = [f"{done:,} of {number(self._planned, 'operation')}"] if self._planned else []
        told += counts(self._states)
        if self._requests:
            passed_s = max(time.monotonic() - self._began, 0.001)
            told.append(f"[dim]{self._requests / passed_s:,.0f} requests/s[/]")
        self._bar.update(self._task, completed=done, told=", ".join(told))
