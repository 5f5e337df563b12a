"""An application behind real HTTP: a server in a thread, on a free port of the loopback."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

import uvicorn
from a2wsgi import WSGIMiddleware

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

PATIENCE_S, LONGEST_S = 10, 60


@contextmanager
def serving(app: Callable[..., Any]) -> Iterator[int]:
    """The port at which *app*, ASGI or WSGI, answers."""
    plain = iscoroutinefunction(app) or iscoroutinefunction(getattr(app, "__call__", None))  # noqa: B004 - the method itself is looked at
    served: Any = app if plain else WSGIMiddleware(app)
    config = uvicorn.Config(served, port=0, log_level="critical", timeout_graceful_shutdown=1)
    with running(uvicorn.Server(config), None, PATIENCE_S) as (server, thread):
        yield server.servers[0].sockets[0].getsockname()[1]
    assert not thread.is_alive()


@contextmanager
def answering(app: Any, listening: socket.socket) -> Iterator[None]:  # noqa: ANN401 - any ASGI
    """A server for an application that is told its own address: on a socket that listens."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    with running(server, [listening], LONGEST_S):
        yield


@contextmanager
def running(
    server: uvicorn.Server, sockets: list[socket.socket] | None, patience_s: float
) -> Iterator[tuple[uvicorn.Server, threading.Thread]]:
    """A server in a thread, from when it answers until it was asked to end."""
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets}, daemon=True)
    thread.start()
    try:
        end = time.monotonic() + patience_s
        while not server.started:
            assert time.monotonic() < end
            assert thread.is_alive()
            time.sleep(0.002)
        yield server, thread
    finally:
        server.should_exit = True
        thread.join(patience_s)
