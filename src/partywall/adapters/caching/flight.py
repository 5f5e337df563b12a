"""Of many who want the same answer, one computes it; the others wait, or take the last one.

What is kept carries the generation of its group, which was read before the work began. Whoever
invalidates the group gives it another generation, and what was under way is then out of date
before it is kept. Whoever invalidates one answer takes away the token of who computes it, and only
who has its token may keep anything.
"""

from __future__ import annotations

import random
import secrets
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from partywall.adapters.caching.sharing import Compute, Wait

if TYPE_CHECKING:
    from partywall.adapters.caching.sharing import Steps

FIRST_WAIT_S, LONGEST_WAIT_S = 0.01, 0.25
FIRST_GENERATION = bytes(16)
"""Of a group that nobody has invalidated."""


class Terms(NamedTuple):
    """How long an answer and the right to compute it last.

    Attributes:
        ttl_s: for so long an answer is fresh.
        stale_s: and for so long after that it is given while somebody computes the next.
        lock_s: when somebody else may compute, because who did it must have died. Nobody waits for
            longer than twice that.
        group: what it is invalidated with; "" for nothing.
    """

    ttl_s: float
    stale_s: float = 0.0
    lock_s: float = 10.0
    group: str = ""

    def checked(self) -> Terms:
        """These.

        Raises:
            ValueError: when they can't be kept.
        """
        if not (self.ttl_s > 0 and self.stale_s >= 0 and self.lock_s > 0):
            raise ValueError("ttl_s and lock_s are more than 0 seconds, stale_s is not less")
        return self


class Seen(NamedTuple):
    """What was there.

    Attributes:
        value: None where there was none, or one of another generation.
        fresh: whether it is still within its `ttl_s`.
        generation: of the group, now.
    """

    value: bytes | None
    fresh: bool
    generation: bytes


class Answered(NamedTuple):
    """The answer, and whether it was there."""

    value: bytes
    hit: bool


class Desk(Protocol):
    """Where one answer is kept; each method gives a step for who drives."""

    def read(self) -> object:
        """Gives `Seen`."""
        ...

    def take(self, token: bytes) -> object:
        """Gives whether the right to compute is now the token's."""
        ...

    def keep(self, token: bytes, generation: bytes, value: bytes) -> object:
        """Keeps the value and ends the right, where the right is still the token's."""
        ...

    def release(self, token: bytes) -> object:
        """Ends the right, where it is still the token's."""
        ...


def flight(desk: Desk, lock_s: float) -> Steps[Answered]:
    """Find an answer, or have it computed by one at a time."""
    end, pause_s = time.monotonic() + 2 * lock_s, FIRST_WAIT_S
    token = secrets.token_bytes(16)
    while True:
        seen: Seen = yield desk.read()
        if seen.value is not None and seen.fresh:
            return Answered(seen.value, hit=True)
        if (yield desk.take(token)):
            return (yield from computing(desk, token))
        if seen.value is not None:
            return Answered(seen.value, hit=True)
        if time.monotonic() > end:
            value: bytes = yield Compute()
            return Answered(value, hit=False)
        yield Wait(pause_s * random.uniform(0.5, 1))  # noqa: S311 - no secret
        pause_s = min(2 * pause_s, LONGEST_WAIT_S)


def computing(desk: Desk, token: bytes) -> Steps[Answered]:
    """Compute, with the right to."""
    try:
        seen: Seen = yield desk.read()
        if seen.value is not None and seen.fresh:  # by who had the right just before
            yield desk.release(token)
            return Answered(seen.value, hit=True)
        value: bytes = yield Compute()
        yield desk.keep(token, seen.generation, value)
    except BaseException:
        yield desk.release(token)
        raise
    return Answered(value, hit=False)


def packed(group: str, generation: bytes, value: bytes) -> bytes:
    """What is kept of *value*."""
    return generation + value if group else value


def unpacked(group: str, generation: bytes, kept: bytes) -> bytes | None:
    """The value, where it is of this generation."""
    if not group:
        return kept
    size = len(FIRST_GENERATION)
    return kept[size:] if kept[:size] == generation else None
