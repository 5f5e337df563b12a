"""Attempts to get into another tenant, on their way into the audit log; no request waits for it.

Two logs are told. That of the tenant whose credential it was, in the words that were sent and
whether or not anybody has that name: its own administrators read it, and must not learn from it
who lives here. And that of the tenant that was tried, who learns which user it was and from where,
and not whose. Of the same user trying the same tenant's door again and again, from one address or
from many, an entry a minute is written, with how often it was: nobody fills a log that nobody may
shorten.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from partywall.control import audit

if TYPE_CHECKING:
    from partywall.control.database import Database

LOG = logging.getLogger("partywall.audit")

ACTION = "access.denied"
EVERY_S = 60.0
"""How long attempts of one kind are counted before they are written again."""

WAITING = 10_000
"""How many kinds of attempts are held; beyond them they are only written to the log of Python."""

SOURCES = 8
"""Addresses that an entry names, where an attempt came from several."""

LONGEST = 200
AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One kind of attempt.

    Attributes:
        log: the id of the tenant whose log is told.
        actor: the user, or the API key.
    """

    log: str
    actor: str


@dataclass(slots=True)
class Count:
    """How often it came since it was written, and when it may be written again.

    Attributes:
        sources: the addresses it came from, the first ones.
    """

    detail: dict[str, str] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    times: int = 0
    due: float = 0.0

    def add(self, sources: list[str], times: int) -> None:
        """Count further ones."""
        new = [each for each in sources if each not in self.sources]
        self.sources = [*self.sources, *new][:SOURCES]
        self.times += times


class Denials:
    """Writes attempts from a thread of its own, the first of a kind at once.

    Args:
        database: the control plane's.
        every_s: how long further ones are counted.
    """

    def __init__(self, database: Database, *, every_s: float = EVERY_S) -> None:
        self._database = database
        self._every_s = every_s
        self._counts: dict[Attempt, Count] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def note(self, attempt: Attempt, source: str, **detail: str) -> None:
        """Note an attempt; returns at once.

        Args:
            attempt: its kind.
            source: the address it came from.
            detail: what was sent; made fit for a log here.
        """
        with self._changed:
            count = self._counts.get(attempt)
            if count is None and len(self._counts) >= WAITING:
                LOG.warning("access denied, not in the audit log: too many wait to be written")
                return
            if count is None:
                count = self._counts[attempt] = Count()
            count.detail = {name: audit.fitted(value, LONGEST) for name, value in detail.items()}
            count.add([audit.fitted(source)], 1)
            if count.times == 1:
                self._wake()

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Write what waits, whenever it is due, and end the thread; False when time was short."""
        with self._changed:
            self._closed, thread = True, self._thread
            self._changed.notify_all()
        if thread is not None:
            thread.join(timeout_s)
        return not any(count.times for count in self._counts.values())

    def _wake(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._closed = False
            self._thread = threading.Thread(target=self._run, name="partywall denials", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                due = self._due()
                if not due:
                    if self._closed:
                        self._thread = None  # who comes from here on begins another one
                        return
                    self._changed.wait(self._pause())
                    continue
            for attempt, count in due:
                if not self._written(attempt, count):
                    with self._changed:
                        if self._closed:
                            self._thread = None
                            return
                        self._changed.wait(AGAIN_S)

    def _due(self) -> list[tuple[Attempt, Count]]:
        """What is to be written now; counted anew from here on."""
        moment, due = time.monotonic(), []
        for attempt, count in list(self._counts.items()):
            if count.due > moment and not self._closed:
                continue
            if count.times:
                due.append((attempt, replace(count)))
                count.sources, count.times, count.due = [], 0, moment + self._every_s
            else:
                del self._counts[attempt]
        return due

    def _pause(self) -> float | None:
        """Seconds until something may be due; None when nothing is held."""
        if not self._counts:
            return None
        return max(0.0, min(count.due for count in self._counts.values()) - time.monotonic())

    def _written(self, attempt: Attempt, written: Count) -> bool:
        several = {"sources": written.sources} if len(written.sources) > 1 else {}
        try:
            with self._database.begin() as connection:
                audit.record(
                    connection,
                    attempt.log,
                    ACTION,
                    actor=attempt.actor,
                    source=written.sources[0],
                    detail={**written.detail, **several, "times": written.times},
                )
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not be lost
            LOG.warning("access denied, not yet in the audit log: %s", type(error).__name__)
            with self._changed:
                count = self._counts.setdefault(attempt, Count(written.detail))
                count.add(written.sources, written.times)
                count.due = time.monotonic() + AGAIN_S
            return False
        return True
