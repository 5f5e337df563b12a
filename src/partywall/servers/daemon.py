"""What disposable servers of one process have in common: a folder, a free port, a log, an end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NoReturn

from partywall.errors import ConfigurationError, ServerError
from partywall.servers.accounts import spawn
from partywall.servers.launch import ATTEMPTS, POLL_S, START_S, free_port
from partywall.servers.program import Program

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from partywall.servers.accounts import Account

PLACES = "/usr/sbin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin"
"""Where programs stand on systems whose users don't have them on PATH."""


class Daemon(Program, ABC):
    """A running server of its own, on a port of 127.0.0.1 that was free when it was chosen.

    Attributes:
        name: of the program, as people write it.
        port: free when it was chosen.
        folder: all that it writes; removed when it stops.
    """

    name: str
    at_once = signal.SIGTERM  # with all its connections

    def __init__(self, program: str, account: Account, settings: Mapping[str, str]) -> None:
        """Start it; prefer the function that also finds the program and clears up orphans."""
        super().__init__(account)
        self._program = program
        try:
            self._start(settings)
        except BaseException:
            self.stop()
            raise

    @abstractmethod
    def configuration(self, settings: Mapping[str, str]) -> Mapping[str, str]:
        """The files that it reads, the one it is started with first: name -> content."""

    @abstractmethod
    def listening(self, log: str) -> bool | None:
        """Whether its log says that it takes connections; None while it doesn't say."""

    @property
    def inner(self) -> Path:
        """The folder that it works in."""
        return self._folder.inner

    def _start(self, settings: Mapping[str, str]) -> None:
        """Start it; should another process snatch the port, choose the next one."""
        for _ in range(ATTEMPTS):
            self.port = free_port()
            files = [self._written(*one) for one in self.configuration(settings).items()]
            with (self.folder / "log").open("wb") as log:
                words = [self._program, str(files[0])]
                self._process = spawn(self.account, words, folder=self.inner, output=log)
            if self._ready(self._process):
                return
            if "Address already in use" not in self.log():
                break
        self._fail(f"{self.name} did not start")

    def _written(self, name: str, content: str) -> Path:
        path = self.inner / name
        path.write_text(content)
        if self.account.ids:
            os.chown(path, *self.account.ids)
        return path

    def _ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until it says that it takes connections; False when it could not."""
        deadline = time.monotonic() + START_S
        while process.poll() is None:
            said = self.listening(self.log())
            if said is not None:
                return said
            if time.monotonic() > deadline:
                self._fail(f"{self.name} took more than {START_S:.0f} s to start")
            time.sleep(POLL_S)
        return False

    def _fail(self, what: str) -> NoReturn:
        """Raise with the last words of the log."""
        raise ServerError(f"{what} ({self._program}). Mend what it says:\n{self.last_words}")


def found(program: str, *, name: str, package: str) -> str:
    """Return the path of *program*.

    Raises:
        ConfigurationError: it is not on this machine; the message has Debian's *package*.
    """
    path = shutil.which(program) or shutil.which(program, path=PLACES)
    if path is None:
        raise ConfigurationError(
            f"no {name} on this machine: install Debian's package {package}, or put it on PATH"
        )
    return path
