"""How a process learns at once what others have changed in PostgreSQL: it listens."""

from __future__ import annotations

import logging
import math
import random
import selectors
import socket
import threading
import time
import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg

from partywall.control.database import CHANNEL
from partywall.control.line import Line
from partywall.runtime import forks

if TYPE_CHECKING:
    from partywall.control.database import Database
    from partywall.control.memory import Hearing

LOG = logging.getLogger("partywall.control")

PAUSES_S = (0.05, 1.0)
"""Before the listener connects again: the first pause, doubled up to the longest."""

UNPROVEN_S = 60.0
"""The pause after a connection on which nothing was heard: the next will hardly be better."""

PROOF = "listener:"


class Unproven(Exception):  # noqa: N818 - never leaves this module
    """Nothing is heard on a connection that should listen."""


class Listener:
    """A thread that hears on PostgreSQL's channel what changed, and drops it from a memory.

    What was heard is complete up to the last moment at which the server has answered. Memory is
    good for `lease_s` from there, which is three heartbeats: so old can an answer be when the
    other end of the connection is gone without a word. When the connection breaks, memory is good
    for nothing until there is another one, and then it begins empty.

    A connection counts once a message that was sent through a second one has come out of it.
    Behind a pooler that gives each transaction another session none ever does, and every question
    is asked of the database.

    Args:
        database: whose changes.
        memory: where they are dropped.
        heartbeat_s: how often the server is asked for a sign of life.
    """

    def __init__(self, database: Database, memory: Hearing, *, heartbeat_s: float) -> None:
        self._database = database
        self._memory = memory
        self._heartbeat_s = heartbeat_s
        self.lease_s = 3 * heartbeat_s
        self.after_fork()

    def after_fork(self) -> None:
        """In a forked child: the thread and its connection are the parent's."""
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop: socket.socket | None = None
        self._good_until = 0.0
        self._nonce = ""
        self._complained = False

    def current(self) -> bool:
        """Whether memory is good now; asks nobody, and starts the thread where there is none."""
        if time.monotonic() < self._good_until:
            return True
        thread = self._thread
        if thread is None or not thread.is_alive():
            self._start()
        return False

    def close(self) -> None:
        """End the thread and its connection; the next question takes others."""
        with self._starting:
            thread, stop = self._thread, self._stop
            self._thread = self._stop = None
        if thread is not None and stop is not None:
            stop.close()
            thread.join(self.lease_s)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._stop, stopped = socket.socketpair()
                self._thread = threading.Thread(
                    target=self._run, args=(stopped,), name="partywall listener", daemon=True
                )
                self._thread.start()

    def _run(self, stopped: socket.socket) -> None:
        pause, longest = PAUSES_S
        with stopped, selectors.DefaultSelector() as over:
            over.register(stopped, selectors.EVENT_READ)
            while not over.select(0):
                proven = self._connected(stopped)
                if proven is None:
                    pause = UNPROVEN_S
                elif proven:
                    pause = PAUSES_S[0]
                # Not all processes at once.
                over.select(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
                pause = min(2 * pause, longest)

    def _connected(self, stopped: socket.socket) -> bool | None:
        """One connection, until it breaks or *stopped* can be read.

        Returns:
            Whether memory was good meanwhile; None when nothing is heard at all.
        """
        proven = False
        try:
            with closing(self._connect("partywall listener")) as connection:
                forks.opened(connection)
                connection.execute(f"LISTEN {CHANNEL}".encode())
                with Line(connection, stopped, self._told) as line:
                    self._memory.clear()  # until now nothing was heard
                    asked = self._proven(line)
                    while not line.over:
                        self._good_until, proven = asked + self.lease_s, True
                        self._complained = False
                        line.hear(asked + self._heartbeat_s)
                        asked = time.monotonic()
                        if not line.alive(asked + self.lease_s) and not line.over:
                            raise TimeoutError
        except Unproven:
            self._complain(
                "changes in the control plane are not heard, so every question is asked of its "
                "database: give it a url that leads past a pooler in transaction mode"
            )
            return None
        except (psycopg.Error, OSError) as error:
            self._complain(
                "the listener of the control plane is disconnected (%s): until it is back every "
                "question is asked of the database",
                type(error).__name__,
            )
        finally:
            self._good_until = 0.0
        return proven

    def _proven(self, line: Line) -> float:
        """Send a message through a second connection and hear it; when it was sent.

        Raises:
            Unproven: when it does not come.
        """
        self._nonce = PROOF + uuid.uuid4().hex
        sent = time.monotonic()
        with closing(self._connect("partywall listener's proof")) as second:
            second.execute("SELECT pg_notify(%s, %s)", [CHANNEL, self._nonce])
        line.hear(sent + self.lease_s, lambda: not self._nonce)
        if self._nonce and not line.over:
            raise Unproven
        return sent

    def _complain(self, message: str, *details: str) -> None:
        """Say it once, and not again with every attempt."""
        if not self._complained:
            self._complained = True
            LOG.warning(message, *details)

    def _told(self, said: str) -> None:
        if said == self._nonce:
            self._nonce = ""
        else:
            self._memory.announced(said)

    def _connect(self, name: str) -> psycopg.Connection[tuple[Any, ...]]:
        arguments, options = self._database.engine.dialect.create_connect_args(self._database.url)
        told: dict[str, Any] = {
            **options,
            "autocommit": True,
            "application_name": name,
            "connect_timeout": max(2, math.ceil(self.lease_s)),
        }
        return psycopg.connect(*arguments, **told)
