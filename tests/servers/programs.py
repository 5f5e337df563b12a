"""Programs that start a server and then end in some way, run as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from partywall.servers import Account, remove_orphans
from partywall.servers.accounts import choose_account

if TYPE_CHECKING:
    from collections.abc import Iterator

START = """
import os, sys
from partywall.servers import Account, postgres
server = postgres(account=Account({account!r}))
print(server.folder, server.url(), flush=True)
"""
WAIT = "sys.stdin.read()"

# As root both ways of not being root; the first only where the system has user namespaces.
ACCOUNTS = sorted(
    {choose_account(), Account.NOBODY if os.geteuid() == 0 else Account.SELF}, key=str
)


@dataclass(frozen=True, slots=True)
class Program:
    """A running program with a server of its own; it waits until its standard input closes."""

    process: subprocess.Popen[str]
    folder: Path
    url: str


@contextmanager
def program(account: Account, then: str = WAIT) -> Iterator[Program]:
    """Run a program that starts a server as *account* and goes on with the code *then*."""
    code = START.format(account=account.value) + then
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        folder, url = process.stdout.readline().split()
        try:
            yield Program(process, Path(folder), url)
        finally:
            process.kill()
            process.wait()
            remove_orphans()
