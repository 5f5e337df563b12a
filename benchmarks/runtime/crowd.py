"""Many tenants, more clients than connections: throughput and p99 against no tenancy."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.runtime.pairing import Worker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.runtime.pairing import Name

CLIENTS = 16
UNITS = 250
"""Of each client, each round."""


@dataclass(frozen=True)
class Crowded:
    """What a crowd got from one contender, the medians of the rounds.

    Attributes:
        per_second: units of work of all clients together.
        p50_ms: how long half of the units took at most, waiting for a connection included.
        p99_ms: how long all but one in a hundred took at most.
        longest_ms: how long the unit took that waited longest: whether the pool is fair.
        throughput: against the first contender, whose own is 1.
        p99: likewise.
    """

    title: str
    per_second: float
    p50_ms: float
    p99_ms: float
    longest_ms: float
    throughput: float
    p99: float


def crowd(names: Sequence[Name], *, tenants: int, rounds: int) -> list[Crowded]:
    """Let the contenders serve the crowd in turns; the others are compared with the first."""
    told: list[list[list[float]]] = [[] for _ in names]
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(name)) for name in names]
        for number in range(rounds):
            for place in order(len(workers), backwards=bool(number % 2)):
                workers[place].ask("open")
                workers[place].ask(f"crowd {CLIENTS} {UNITS // 5} {tenants}")
                told[place].append(workers[place].ask(f"crowd {CLIENTS} {UNITS} {tenants}"))
                workers[place].ask("close")
    return [crowded(name.title, mine, told[0]) for name, mine in zip(names, told, strict=True)]


def order(count: int, *, backwards: bool) -> Sequence[int]:
    """Whose turn it is."""
    return range(count)[::-1] if backwards else range(count)


def crowded(title: str, told: list[list[float]], first: list[list[float]]) -> Crowded:
    """The medians of the rounds."""
    seconds, p50, p99, longest = (statistics.median(column) for column in zip(*told, strict=True))
    pairs = list(zip(told, first, strict=True))
    return Crowded(
        title,
        CLIENTS * UNITS / seconds,
        p50 * 1e3,
        p99 * 1e3,
        longest * 1e3,
        statistics.median(other[0] / mine[0] for mine, other in pairs),
        statistics.median(mine[2] / other[2] for mine, other in pairs),
    )
