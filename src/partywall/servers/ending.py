"""No server outlives its program: what happens at exit, on signals and in forks."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from typing import TYPE_CHECKING, NoReturn, Protocol

if TYPE_CHECKING:
    from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Ending(Protocol):
    """What must be stopped before this process ends."""

    def stop(self) -> None:
        """Stop it; does nothing the second time."""

    def forget(self) -> None:
        """In a fork: let go of what is the parent's, without stopping it."""


_running: list[Ending] = []


def remember(server: Ending) -> None:
    """Stop *server* when this process ends."""
    _running.append(server)
    heed_signals()


def drop(server: Ending) -> bool:
    """Forget *server*; tell whether it was this process's to stop, and still to be stopped."""
    if server not in _running:
        return False
    _running.remove(server)
    if not _running:
        ignore_signals()
    return True


def leave(number: int, _frame: FrameType | None) -> NoReturn:
    """End the program as a signal asks, by way of every `with` and `finally`."""
    raise SystemExit(128 + number)


def heed_signals() -> None:
    """Let SIGTERM and SIGHUP end the program in order, unless it has plans of its own."""
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, leave)


def ignore_signals() -> None:
    """Take back what `heed_signals` did."""
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            if signal.getsignal(number) is leave:
                signal.signal(number, signal.SIG_DFL)


def stop_all() -> None:
    """Stop every server of this process, the youngest first."""
    while _running:
        _running[-1].stop()


def forget_all() -> None:
    """In a fork: the servers are the parent's, and so is how it ends.

    A pool's worker is ended by SIGTERM while it waits for a lock, which no handler interrupts.
    """
    for server in _running:
        server.forget()
    _running.clear()
    ignore_signals()


atexit.register(stop_all)
os.register_at_fork(after_in_child=forget_all)
