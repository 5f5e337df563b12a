"""How an example of a further layer is run: the one place where a layer adds its own way.

A runner is handed the text of an example (and its case), and says which attacks got through: their
names. It runs what the text says against real servers, with the whole survey of its layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from partywall.survey.explaining.further import further_attacks
from partywall.survey.explaining.pages import ON, page
from tests.survey.cache.examples import of_cache
from tests.survey.jobs.examples import of_jobs
from tests.survey.objects.examples import of_objects
from tests.survey.pool.examples import of_pool
from tests.survey.sockets.examples import of_sockets

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from partywall.survey.explaining.pages import Example
    from tests.conftest import Database


class Runner(Protocol):
    """Runs one example."""

    def __call__(self, example: Example, database: Database, folder: Path) -> Collection[str]:
        """The names of the attacks that got through."""


RUNNERS: Mapping[str, Runner] = {
    "pool": of_pool, "cache": of_cache, "jobs": of_jobs, "sockets": of_sockets,
    "objects": of_objects,
}  # fmt: skip
"""By layer. *database* is the test's own, on PostgreSQL 15, and *folder* empty."""


def examples() -> Iterator[tuple[str, str, bool]]:
    """(layer, name of the page, whether it breaches) of each page of a further layer."""
    for layer, attacks in further_attacks().items():
        for one in attacks:
            yield from ((layer, one.name, True), (layer, one.name, False))


def without_runner() -> set[str]:
    """Layers whose examples nobody runs."""
    return set(further_attacks()) - set(RUNNERS)


def example(name: str, *, leaky: bool) -> Example:
    """The one example of that side."""
    shown = page(name)
    assert shown.kind in ON.values()
    [found] = shown.breaches if leaky else shown.holds
    return found
