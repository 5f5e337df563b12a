"""Many turns at once, each worker with one connection of its own."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from itertools import islice
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from partywall.survey.fleet.roster import Lodger
    from partywall.survey.fleet.turn import Turn

AHEAD = 2
"""So many turns are waiting for each worker: a stop loses no more than these."""


class Worker(Protocol):
    """One of them: it holds a connection, so that a turn of it never meets another."""

    def turn(self, one: Lodger) -> Turn:
        """Let *one* look."""


def turns(workers: Sequence[Worker], lodgers: Iterable[Lodger]) -> Iterator[Turn]:
    """The turns of all, as they end; no worker ever has two at a time."""
    free: SimpleQueue[Worker] = SimpleQueue()
    for worker in workers:
        free.put(worker)

    def taken(one: Lodger) -> Turn:
        worker = free.get()
        try:
            return worker.turn(one)
        finally:
            free.put(worker)

    waiting = iter(lodgers)
    with ThreadPoolExecutor(len(workers)) as pool:
        try:
            open_ones = {pool.submit(taken, one) for one in islice(waiting, AHEAD * len(workers))}
            while open_ones:
                done, open_ones = wait(open_ones, return_when=FIRST_COMPLETED)
                open_ones |= {pool.submit(taken, one) for one in islice(waiting, len(done))}
                for one in done:
                    yield one.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
