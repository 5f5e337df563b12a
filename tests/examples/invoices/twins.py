"""The reference application with mistakes in it, in a process that is forked off a warm one.

Only what is the application's own is imported anew for each: the rest takes longer than all that a
test does with it.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from examples.invoices.demo import free_port
from examples.invoices.probe import configuration
from tests.examples.invoices.houses import EXAMPLES, PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "aiosqlite",
        "uvicorn.lifespan.on",
        "uvicorn.protocols.http.auto",
        "partywall.adapters.dbos.works",
        "partywall.adapters.fastapi",
        "partywall.control.migrations",
        "partywall.control.plane",
        "partywall.control.provisioning.building",
    ]
)


@contextmanager
def twin(folder: Path, *mistakes: str) -> Iterator[Path]:
    """The running application with these mistakes, and with two companies in it.

    Yields:
        The partywall.toml.
    """
    port, log, file = free_port(), folder / "log", folder / "partywall.toml"
    command = ["--port", str(port), *(f"--break={each}" for each in mistakes)]
    process = FORKS.Process(target=serve, args=(command, str(folder), str(log)))
    process.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client:
            end = time.monotonic() + PATIENCE_S
            while not answering(client):
                assert process.is_alive(), log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.02)
            file.write_text(configuration(client))
        yield file
    finally:
        process.terminate()
        process.join(PATIENCE_S)


def answering(client: httpx.Client) -> bool:
    """Whether anybody listens."""
    try:
        client.get("/.well-known/jwks.json")
    except httpx.ConnectError:
        return False
    return True


def serve(command: list[str], folder: str, log: str) -> None:
    """What the process does: `python examples/invoices`, on one file for both companies."""
    written = os.open(log, os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(written, stream)
    os.environ |= {"INVOICES_ISOLATION": "scoped", "INVOICES_FOLDER": folder}
    sys.argv[1:] = command
    runpy.run_path(str(EXAMPLES / "invoices" / "__main__.py"), run_name="__main__")
