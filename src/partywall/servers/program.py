"""What every disposable server has: a folder of its own, a log in it, and an end."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Self

from partywall.servers import ending
from partywall.servers.folders import Folder
from partywall.servers.processes import PATIENCE_S

if TYPE_CHECKING:
    import signal

    from partywall.servers.accounts import Account


class Program:
    """A program that runs in a folder of its own until it is stopped, or this process ends.

    Attributes:
        port: on 127.0.0.1; free when it was chosen.
        folder: all that it writes; removed when it stops.
    """

    at_once: ClassVar[signal.Signals]
    """What ends it without waiting for anybody."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = Folder.create(account)
        self.folder = self._folder.path
        ending.remember(self)

    def stop(self) -> None:
        """Stop it and remove its folder; does nothing the second time or in a fork."""
        if not ending.drop(self):
            return
        if self._process:
            self._process.send_signal(self.at_once)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE_S)
        self._folder.remove()

    def forget(self) -> None:
        """In a fork: leave it, and the lock on its folder, to the parent."""
        os.close(self._folder.handle)

    def __enter__(self) -> Self:
        """Return the running server."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def log(self) -> str:
        """Return what it has said so far."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def last_words(self) -> str:
        """The end of its log, indented."""
        return "\n".join(f"    {line}" for line in self.log().strip().splitlines()[-10:])
