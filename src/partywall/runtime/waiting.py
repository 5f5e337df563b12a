"""Looking again and again at something that nobody announces."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST_S, LONGEST_S = 0.02, 0.5


def pauses(timeout_s: float | None, longest_s: float = LONGEST_S) -> Iterator[float]:
    """Seconds to wait after each look, until the time is up; there is a look at its end.

    Args:
        timeout_s: None: as long as it takes.
        longest_s: what they grow to.
    """
    until = None if timeout_s is None else time.monotonic() + timeout_s
    pause_s = FIRST_S
    while True:
        left_s = pause_s if until is None else until - time.monotonic()
        yield max(min(pause_s, left_s), 0.0)
        if left_s <= 0:
            return
        pause_s = min(pause_s * 1.5, longest_s)
