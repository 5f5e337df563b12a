"""An application object, imported and served on a free loopback port for the time of a run."""

from __future__ import annotations

import importlib
import inspect
import logging
import socket
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from a2wsgi import WSGIMiddleware

from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

START_S = 60
STOP_S = 5
"""So long requests that still run may take once the run is over."""
SILENT = logging.CRITICAL + 1
ASGI, WSGI = 3, 2
"""How many arguments such an application takes."""


def loaded(where: str | object) -> Any:  # noqa: ANN401 - any framework's application
    """The application at ``module:attribute``, or that a factory there makes.

    What is no name is taken as the application itself.

    Raises:
        ConfigurationError: it can't be imported, or is no ASGI or WSGI application.
    """
    found = _imported(where) if isinstance(where, str) else where
    named = where if isinstance(where, str) else f"a {type(where).__name__}"
    if callable(found) and _arity(found) == 0:
        try:
            found = found()
        except (Exception, SystemExit) as error:
            raise ConfigurationError(
                f"{named} made no application: {type(error).__name__}: {error}"
            ) from error
    if not callable(found) or _arity(found) not in {ASGI, WSGI}:
        raise ConfigurationError(
            f"{named} is a {type(found).__name__}, and no ASGI or WSGI application, nor makes one"
        )
    return found


@contextmanager
def served(app: object) -> Iterator[str]:
    """The address of *app*, an ASGI or WSGI application, served within the block.

    Raises:
        ConfigurationError: it did not start; the message has its own words.
    """
    heard = _Listening(app if _arity(app) == ASGI else WSGIMiddleware(cast("Any", app)))
    config = uvicorn.Config(
        heard,
        interface="asgi3",
        lifespan="auto",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=STOP_S,
    )
    server = uvicorn.Server(config)
    with _quiet("uvicorn.error"), socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=_run, args=(server, listening), name="partywall-app", daemon=True)
        thread.start()
        try:
            _wait(server, thread, heard)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(STOP_S + 1)
            server.force_exit = True
            thread.join(STOP_S)


class _Listening:
    """The application, overheard where it says why it doesn't start."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - ASGI
        self.app, self.words = app, ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return

        async def overheard(message: Any) -> None:  # noqa: ANN401 - ASGI
            if message["type"] == "lifespan.startup.failed":
                self.words = str(message.get("message") or "")
            await send(message)

        await self.app(scope, receive, overheard)


def _run(server: uvicorn.Server, listening: socket.socket) -> None:
    try:
        server.run(sockets=[listening])
    except SystemExit:
        return  # so uvicorn ends when an application doesn't start


def _wait(server: uvicorn.Server, thread: Thread, heard: _Listening) -> None:
    until = time.monotonic() + START_S
    while not server.started:
        if not thread.is_alive():
            lines = [line for line in heard.words.splitlines() if line.strip()]
            said = lines[-1].strip() if lines else "it gives no reason"
            raise ConfigurationError(f"the application did not start: {said}")
        if time.monotonic() > until:
            raise ConfigurationError(f"the application did not start within {START_S} seconds")
        time.sleep(0.01)


def _imported(name: str) -> Any:  # noqa: ANN401 - any attribute
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise ConfigurationError(f"{name!r} names no attribute of a module: invoices.app:app")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        found = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:
        raise ConfigurationError(
            f"{name} could not be imported: {type(error).__name__}: {error}"
        ) from error
    return found


def _arity(app: object) -> int:
    """How many arguments it needs when it is called; -1 where that can't be told."""
    try:
        parameters = inspect.signature(cast("Any", app)).parameters.values()
    except (TypeError, ValueError):
        return -1
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(one.kind in positional and one.default is one.empty for one in parameters)


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(SILENT)
    try:
        yield
    finally:
        logger.setLevel(before)
