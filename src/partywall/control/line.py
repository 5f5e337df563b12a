"""One connection of PostgreSQL that listens, in a loop that never waits longer than it is told."""

from __future__ import annotations

import selectors
import time
from typing import TYPE_CHECKING, Any, Self

import psycopg
from psycopg.pq import ConnStatus, ExecStatus

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable


def never() -> bool:
    """Nothing is enough."""
    return False


class Line:
    """A connection that listens, from its LISTEN to its end.

    psycopg's `notifies` can't be asked for a sign of life without waiting for the answer, and an
    answer that never comes is what has to be noticed; hence libpq's own calls.

    Args:
        connection: in autocommit, with its LISTEN done.
        stopped: can be read once it is over.
        told: is called with what each notification says.

    Attributes:
        over: whether *stopped* could be read.
    """

    def __init__(
        self,
        connection: psycopg.Connection[tuple[Any, ...]],
        stopped: socket.socket,
        told: Callable[[str], None],
    ) -> None:
        self.over = False
        self._server = connection.pgconn
        self._told = told
        self._asking = False
        self._ready = selectors.DefaultSelector()
        self._ready.register(stopped, selectors.EVENT_READ, True)  # noqa: FBT003 - whether it is over
        self._ready.register(self._server.socket, selectors.EVENT_READ, False)  # noqa: FBT003 - as above

    def __enter__(self) -> Self:
        """This line; the block ends it, and leaves the connection open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the connection alone."""
        self._ready.close()

    def hear(self, until: float, enough: Callable[[], bool] = never) -> None:
        """Tell what is heard, until the moment *until*, or until it is over or *enough*.

        Raises:
            psycopg.OperationalError: when the connection broke.
        """
        while not (self.over or enough()) and (wait := until - time.monotonic()) > 0:
            self._next(wait)

    def alive(self, until: float) -> bool:
        """Tell what the server has said before its sign of life; False when none came.

        Raises:
            psycopg.OperationalError: when the connection broke.
        """
        self._server.send_query(b"SELECT 1")
        self._asking = True
        self.hear(until, lambda: not self._asking)
        return not self._asking

    def _next(self, wait_s: float) -> None:
        self._server.flush()
        for key, _ in self._ready.select(wait_s):
            if key.data:
                self.over = True
            else:
                self._receive()

    def _receive(self) -> None:
        while True:  # what TLS has decrypted already, no selector sees
            self._server.consume_input()
            heard = self._server.notifies()
            if heard is None:
                break
            while heard is not None:
                self._told(heard.extra.decode())
                heard = self._server.notifies()
        while self._asking and not self._server.is_busy():
            result = self._server.get_result()
            if result is None:
                self._asking = False
            elif result.status != ExecStatus.TUPLES_OK:
                raise psycopg.OperationalError("the server refused to give a sign of life")
        if self._server.status != ConnStatus.OK:
            raise psycopg.OperationalError("the connection that listens was closed")
