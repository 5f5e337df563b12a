"""Hears of the end before the server waits for it.

A server that is told to stop waits until all answers have ended, and only then says so to the
application: a stream of events would be waited for in vain. So the signal itself is listened to,
beside whoever listens already.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def forewarned(told: Callable[[], object]) -> Iterator[None]:
    """Call *told* when the process is asked to stop, within the block; then who was asked before.

    In another thread than the main one, which alone gets signals, nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:
        told()
        then = before[signal.Signals(number)]
        if callable(then):
            then(number, frame)

    heard = [number for number, then in before.items() if callable(then)]  # else it ends at once
    for number in heard:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in heard:
            if signal.getsignal(number) is handle:
                signal.signal(number, before[number])
