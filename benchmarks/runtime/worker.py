"""One contender in a process of its own; it is told what to do line by line.

    python -m benchmarks.runtime.worker bare:Sync '{"url": "postgresql://…", …}'

    open                take fresh connections
    run 50 1            fifty units of work, all for one tenant
    crowd 16 250 1000   sixteen clients at once, 250 units each, a thousand tenants
    close

It answers with the seconds that took; after a crowd also with the units' p50, p99 and maximum.

Runs in the peers' interpreter too: it imports the standard library and the contender's module.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import inspect
import json
import os
import random
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from benchmarks.runtime.tenants import KEYS, tenant

CLIENT_CORE = 0


class Contender(Protocol):
    """One way of doing the unit of work: begin, one select by key, commit."""

    def open(self) -> object:
        """Take what it needs; the first unit connects. May be a coroutine."""

    def unit(self, number: int, key: int) -> object:
        """Read the note *key* of tenant *number* and return its body. May be a coroutine."""

    def close(self) -> object:
        """Close every connection. May be a coroutine."""


def main() -> None:
    """Serve the lines of standard input."""
    name, arguments = sys.argv[1:]
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {CLIENT_CORE})
    module, _, kind = name.partition(":")
    made = importlib.import_module(f"benchmarks.runtime.contenders.{module}")
    contender: Contender = getattr(made, kind)(**json.loads(arguments))
    gc.freeze()
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            print(*answer(runner, contender, line.split()), flush=True)


def answer(runner: asyncio.Runner, contender: Contender, words: list[str]) -> list[float]:
    """Do what one line says; the seconds it took."""
    awaitable = inspect.iscoroutinefunction(contender.unit)
    if words[0] == "run":
        units, tenants = map(int, words[1:])
        if awaitable:
            return [runner.run(served(contender, units, tenants))]
        return [serve(contender, units, tenants)]
    if words[0] == "crowd":
        clients, units, tenants = map(int, words[1:])
        turns = [each_client(client, units, tenants) for client in range(clients)]
        started = time.perf_counter()
        taken = runner.run(tasks(contender, turns)) if awaitable else threads(contender, turns)
        cuts = statistics.quantiles(taken, n=100)
        return [time.perf_counter() - started, cuts[49], cuts[98], max(taken)]
    started = time.perf_counter()
    done = getattr(contender, words[0])()
    if inspect.isawaitable(done):
        runner.run(awaited(done))
    return [time.perf_counter() - started]


def each_client(client: int, units: int, tenants: int) -> list[tuple[int, int]]:
    """What one client of a crowd asks for: tenant and key, the same in every run."""
    chance = random.Random(client)  # noqa: S311 - nothing is guarded by it
    return [(chance.randrange(tenants), chance.randint(1, KEYS)) for _ in range(units)]


def threads(contender: Contender, turns: list[list[tuple[int, int]]]) -> list[float]:
    """The seconds of every unit, each client a thread."""

    def client(turn: list[tuple[int, int]]) -> list[float]:
        taken = []
        for number, key in turn:
            started = time.perf_counter()
            check(contender.unit(number, key), number)
            taken.append(time.perf_counter() - started)
        return taken

    with ThreadPoolExecutor(len(turns)) as pool:
        return [seconds for taken in pool.map(client, turns) for seconds in taken]


async def tasks(contender: Contender, turns: list[list[tuple[int, int]]]) -> list[float]:
    """The seconds of every unit, each client a task."""

    async def client(turn: list[tuple[int, int]]) -> list[float]:
        taken = []
        for number, key in turn:
            started = time.perf_counter()
            check(await contender.unit(number, key), number)  # type: ignore[misc]  # as `answer` found
            taken.append(time.perf_counter() - started)
        return taken

    taken = await asyncio.gather(*map(client, turns))
    return [seconds for one in taken for seconds in one]


async def awaited(done: object) -> None:
    """Await what a runner would not take as it is."""
    await done  # type: ignore[misc]  # the caller made sure


def serve(contender: Contender, units: int, tenants: int) -> float:
    """Seconds of so many units."""
    started = time.perf_counter()
    for turn in range(units):
        check(contender.unit(turn % tenants, turn % KEYS + 1), turn % tenants)
    return time.perf_counter() - started


async def served(contender: Contender, units: int, tenants: int) -> float:
    """As `serve`, for a contender of coroutines."""
    started = time.perf_counter()
    for turn in range(units):
        check(await contender.unit(turn % tenants, turn % KEYS + 1), turn % tenants)  # type: ignore[misc]  # as `main` found
    return time.perf_counter() - started


def check(body: object, number: int) -> None:
    """A contender that is fast and wrong is of no interest."""
    if body not in ("", tenant(number)):
        sys.exit(f"tenant {number} read {body!r}")


if __name__ == "__main__":
    main()
