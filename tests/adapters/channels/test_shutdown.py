"""A server that is told to stop tells its sockets and ends its streams, and then stops."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from websockets.sync.client import connect

from tests.adapters.channels.lobby import PATIENCE_S, ended, told

if TYPE_CHECKING:
    from collections.abc import Iterator

APPLICATION = """
import sys
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from partywall import TenantContext
from partywall.adapters.channels import Channels, EventStream, MemoryBroker


async def access(connection):
    return TenantContext("acme", "ann")


channels = Channels(MemoryBroker(), access)


async def live(websocket):
    async with channels.socket(websocket, await access(websocket)) as socket:
        await socket.send("here")
        async for _ in socket:
            pass


async def events(request):
    return EventStream(channels, request, await access(request), ["a"])


@asynccontextmanager
async def lifespan(app):
    async with channels:
        yield


app = Starlette(
    routes=[WebSocketRoute("/live", live), Route("/events", events)], lifespan=lifespan
)
config = uvicorn.Config(app, port=0, log_level="warning")
server = uvicorn.Server(config)
startup = server.startup


async def announced(sockets=None):
    await startup(sockets)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)


server.startup = announced
server.run()
"""


def test_a_signal_ends_sockets_and_streams_and_then_the_server(tmp_path: Path) -> None:
    program = tmp_path / "served.py"
    program.write_text(APPLICATION)
    process = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True)
    late = threading.Timer(PATIENCE_S, process.kill)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with (
            connect(f"ws://127.0.0.1:{port}/live", open_timeout=PATIENCE_S) as socket,
            httpx.stream("GET", f"http://127.0.0.1:{port}/events", timeout=PATIENCE_S) as answer,
        ):
            assert told(socket) == "here"
            lines: Iterator[str] = (line for line in answer.iter_lines() if line.strip(":"))
            late.start()
            process.send_signal(signal.SIGTERM)
            assert [*lines] == ["event: end", "data: 1001"]
            assert ended(socket) == (1001, [])
        assert process.wait(PATIENCE_S) in {0, -signal.SIGTERM}
    finally:
        late.cancel()
        process.kill()
        process.communicate()
