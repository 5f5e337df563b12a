"""A Temporal server for tests."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from temporalio.client import Client
from temporalio.service import RPCError

from tests.control.crashing import waited

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def temporal_server(folder: Path, *settings: str) -> Iterator[str]:
    """A running server, in memory; its address.

    Args:
        folder: for its log.
        settings: dynamic ones, `matching.enableFairness=true`.
    """
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    program = Path(sys.executable).with_name("temporal")
    command = [program, "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", port]
    for setting in settings:
        command += ["--dynamic-config-value", setting]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([*map(str, command)], stdout=log, stderr=log)
    try:
        waited(lambda: listening(port))
        waited(lambda: asyncio.run(serving(f"127.0.0.1:{port}")))
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def listening(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def serving(address: str) -> bool:
    """Whether it answers for its namespace: it listens a while before."""
    try:
        client = await Client.connect(address)
        await client.count_workflows()
    except (RPCError, RuntimeError):  # the second where it isn't healthy yet
        return False
    return True
