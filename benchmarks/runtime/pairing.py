"""Compare contenders in pairs: in turns, on fresh connections each round, as ratios.

A backend on one machine answers in 20 µs or in 60 µs by the core it lands on, and does so as long
as it lives; other work on the machine comes and goes. So clients stay on one core and the server on
another, every round takes fresh connections, blocks of the contenders alternate within a round, and
what counts is the median of the rounds' ratios.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CLONE = Path(__file__).resolve().parents[2]
WARM_UP = 60
"""Units before a round counts; psycopg prepares a statement at its sixth execution."""

BLOCK = 50
BLOCKS = 6


@dataclass(frozen=True)
class Name:
    """A contender: its class in `contenders`, and what that is made with."""

    title: str
    kind: str
    options: Mapping[str, str]
    python: str = sys.executable


class Worker:
    """A contender's process."""

    def __init__(self, name: Name) -> None:
        self.name = name
        command = [name.python, "-m", "benchmarks.runtime.worker", name.kind]
        self._process = subprocess.Popen(
            [*command, json.dumps(dict(name.options))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CLONE,
            env={**os.environ, "PYTHONPATH": str(CLONE / "src")},
        )

    def ask(self, line: str) -> list[float]:
        """Have the process do something; the seconds it took, and what else it says."""
        assert self._process.stdin is not None  # noqa: S101 - asked for above
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            sys.exit(f"{self.name.title} ended before it answered {line!r}")
        return [float(word) for word in answer.split()]

    def __enter__(self) -> Self:
        """The running process."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


@dataclass(frozen=True)
class Compared:
    """What one contender took, against the first of its group.

    Attributes:
        unit_us: microseconds a unit, the median of the rounds.
        ratio: the median of the rounds' ratios to the first contender, whose own is 1.
        lower: the first quartile of these ratios.
        upper: the third.
    """

    title: str
    unit_us: float
    ratio: float
    lower: float
    upper: float


def compare(names: Sequence[Name], *, tenants: int, rounds: int) -> list[Compared]:
    """Let the contenders work in turns; the first is what the others are compared with."""
    seconds: list[list[float]] = [[] for _ in names]
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(name)) for name in names]
        for number in range(rounds):
            for place, took in enumerate(one_round(workers, tenants, backwards=bool(number % 2))):
                seconds[place].append(took)
    return [
        summary(name.title, took, seconds[0]) for name, took in zip(names, seconds, strict=True)
    ]


def one_round(workers: Sequence[Worker], tenants: int, *, backwards: bool) -> list[float]:
    """Seconds a unit, of each contender, on fresh connections."""
    warm_up = max(WARM_UP, 7 * tenants)
    for worker in workers:
        worker.ask("open")
        worker.ask(f"run {warm_up} {tenants}")
    blocks: list[list[float]] = [[] for _ in workers]
    order = range(len(workers))
    for _ in range(BLOCKS):
        for place in reversed(order) if backwards else order:
            blocks[place].append(workers[place].ask(f"run {BLOCK} {tenants}")[0] / BLOCK)
    for worker in workers:
        worker.ask("close")
    return [statistics.median(taken) for taken in blocks]


def summary(title: str, took: Sequence[float], first: Sequence[float]) -> Compared:
    """The medians of a contender's rounds."""
    ratios = [mine / other for mine, other in zip(took, first, strict=True)]
    lower, middle, upper = statistics.quantiles(ratios, n=4, method="inclusive")
    return Compared(title, statistics.median(took) * 1e6, middle, lower, upper)
