"""A tenant's cache against redis-py alone: the same commands on the same keys, in turns.

Client on one core and server on another; both share one connection; blocks of the two alternate
within a round, and what counts is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import redis.asyncio
from redis import Redis

from partywall.adapters.redis import AsyncTenantCache, Counts, TenantCache
from partywall.context import TenantContext
from partywall.servers import redis as server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Runs = Mapping[str, tuple[Callable[[int], float], Callable[[int], float]]]

SERVER_CORE, CLIENT_CORE = 1, 0
BLOCK, BLOCKS, WARM_UP = 200, 5, 200
PIPED = 20
"""Commands of a pipeline."""

MAY_TAKE = 1.15
"""Of what redis-py alone takes."""

PATIENCE_S = 60.0  # for a server that other work keeps from its core

VALUE = b"x" * 100
CONTEXT = TenantContext("5b1d4c1e-8a3b-4a5e-9a2e-3d6f0c5b7a10")
NAME = "session:1234"


def main() -> None:
    """Print a table; exit code 1 where a command takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds: int = parser.parse_args().rounds
    with server() as running:
        with Redis.from_url(running.url()) as client:
            pin(client.info("server")["process_id"])
        measured = {**blocking(running.url(), rounds), **awaited(running.url(), rounds)}
    print("| | redis-py, µs | TenantCache, µs | ratio | quartiles |\n|---|---|---|---|---|")
    for name, (bare, walled, ratios) in measured.items():
        lower, middle, upper = statistics.quantiles(ratios, n=4, method="inclusive")
        print(f"| {name} | {bare:.1f} | {walled:.1f} | {middle:.3f} | {lower:.3f} – {upper:.3f} |")
    if any(statistics.median(ratios) > MAY_TAKE for _, _, ratios in measured.values()):
        sys.exit(1)


def pin(pid: int) -> None:
    """Give the client a core and the server another."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > SERVER_CORE:
        os.sched_setaffinity(pid, {SERVER_CORE})
        os.sched_setaffinity(0, {CLIENT_CORE})


Measured = dict[str, tuple[float, float, list[float]]]


def compared(runs: Runs, rounds: int) -> Measured:
    """Microseconds a command, bare and walled, and the ratio of each round."""
    found: Measured = {}
    for name, (bare, walled) in runs.items():
        bare(WARM_UP), walled(WARM_UP)
        pairs = []
        for number in range(rounds):
            taken: tuple[list[float], list[float]] = ([], [])
            for _ in range(BLOCKS):
                for place in (0, 1) if number % 2 else (1, 0):
                    taken[place].append((bare, walled)[place](BLOCK))
            pairs.append(tuple(statistics.median(each) / BLOCK * 1e6 for each in taken))
        ratios = [mine / other for other, mine in pairs]
        found[name] = (*(statistics.median(each) for each in zip(*pairs, strict=True)), ratios)
    return found


def blocking(url: str, rounds: int) -> Measured:
    """Code that blocks."""
    with Redis.from_url(url, socket_timeout=PATIENCE_S) as client:
        cache = TenantCache(client, CONTEXT, counts=Counts())
        key = bytes(cache.key(NAME))

        def piped() -> None:
            with client.pipeline() as pipe:
                for _ in range(PIPED):
                    pipe.get(key)
                pipe.execute()

        def walled_piped() -> None:
            with cache.pipeline() as pipe:
                for _ in range(PIPED):
                    pipe.get(NAME)
                pipe.execute()

        return compared(
            {
                "SET": (
                    timed(lambda: client.set(key, VALUE, px=60_000)),
                    timed(lambda: cache.set(NAME, VALUE, ttl_s=60)),
                ),
                "GET": (timed(lambda: client.get(key)), timed(lambda: cache.get(NAME))),
                "GET, cache made for it": (
                    timed(lambda: client.get(key)),
                    timed(lambda: TenantCache(client, CONTEXT).get(NAME)),
                ),
                f"{PIPED} GET in a pipeline": (timed(piped), timed(walled_piped)),
            },
            rounds,
        )


def timed(act: Callable[[], Any]) -> Callable[[int], float]:
    """Seconds that so many acts take."""

    def run(times: int) -> float:
        begun = time.perf_counter()
        for _ in range(times):
            act()
        return time.perf_counter() - begun

    return run


def awaited(url: str, rounds: int) -> Measured:
    """Code in an event loop."""
    with asyncio.Runner() as runner:
        client = redis.asyncio.Redis.from_url(url, socket_timeout=PATIENCE_S)
        cache = AsyncTenantCache(client, CONTEXT, counts=Counts())
        key = bytes(cache.key(NAME))

        async def piped() -> None:
            async with client.pipeline() as pipe:
                for _ in range(PIPED):
                    _ = pipe.get(key)  # the pipeline itself
                await pipe.execute()

        async def walled_piped() -> None:
            async with cache.pipeline() as pipe:
                for _ in range(PIPED):
                    pipe.get(NAME)
                await pipe.execute()

        def waited(act: Callable[[], Awaitable[Any]]) -> Callable[[int], float]:
            async def run(times: int) -> float:
                begun = time.perf_counter()
                for _ in range(times):
                    await act()
                return time.perf_counter() - begun

            return lambda times: runner.run(run(times))

        found = compared(
            {
                "async SET": (
                    waited(lambda: client.set(key, VALUE, px=60_000)),
                    waited(lambda: cache.set(NAME, VALUE, ttl_s=60)),
                ),
                "async GET": (waited(lambda: client.get(key)), waited(lambda: cache.get(NAME))),
                f"async {PIPED} GET in a pipeline": (waited(piped), waited(walled_piped)),
            },
            rounds,
        )
        runner.run(client.aclose())
        return found


if __name__ == "__main__":
    main()
