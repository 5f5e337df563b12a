"""Commands of one tenant that are sent together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.adapters.redis.calls import Queueing
from partywall.adapters.redis.commands import Commands

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from partywall.adapters.redis.calls import Call
    from partywall.adapters.redis.works import Works


class Pipeline(Commands, Queueing):
    """What the pipelines of code that blocks and of code that awaits have in common."""

    def __init__(self, cache: Works[Any], *, atomic: bool, watch: Sequence[str]) -> None:
        self.space, self.counts = cache.space, cache.counts
        self._pipe = cache.redis.pipeline(transaction=atomic)
        self._watched = [self.space.key(name) for name in watch]
        self._reads: list[Callable[[Any], Any]] = []

    def perform(self, call: Call[Any]) -> None:
        """Remember a command."""
        self._pipe.execute_command(*call.arguments)
        self._reads.append(call.read)

    def _taken(self) -> list[Callable[[Any], Any]]:
        """How the answers are read to what is sent now."""
        reads, self._reads = self._reads, []
        return reads


def read(reads: Sequence[Callable[[Any], Any]], answers: Sequence[Any]) -> list[Any]:
    """The answers, each as the cache's method has it."""
    return [each(answer) for each, answer in zip(reads, answers, strict=True)]
