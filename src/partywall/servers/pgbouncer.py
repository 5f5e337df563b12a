"""A disposable PgBouncer before a disposable server.

https://www.pgbouncer.org/config.html
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self
from urllib.parse import quote

from partywall.errors import ConfigurationError, ServerError
from partywall.servers import ending
from partywall.servers.accounts import spawn
from partywall.servers.cluster import HOST, setting
from partywall.servers.folders import Folder, remove_orphans
from partywall.servers.launch import ATTEMPTS, POLL_S, START_S, SUPERUSER, free_port
from partywall.servers.processes import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.servers.launch import Postgres

PLACES = "/usr/sbin:/usr/local/sbin:/opt/homebrew/bin"
"""Where it stands on systems whose users don't have it on PATH."""

SETTINGS = {
    "pool_mode": "transaction",
    "server_reset_query": "DISCARD ALL",
    "server_reset_query_always": "1",
    "default_pool_size": "20",
    "max_client_conn": "1000",
}


class PgBouncer:
    """A running PgBouncer of its own, with trust for everyone on this machine's loopback.

    Attributes:
        port: on 127.0.0.1; free when it was chosen.
        server: behind it; logins are asked of it, so that roles may be made at any time.
        folder: all that it writes; removed when it stops.
    """

    def __init__(self, program: str, server: Postgres, settings: Mapping[str, str]) -> None:
        """Start it; prefer `pgbouncer`, which also finds the program and clears up orphans."""
        self.server = server
        self.port = 0
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = Folder.create(server.account)
        self.folder = self._folder.path
        ending.remember(self)
        try:
            self._start({**SETTINGS, **settings})
        except BaseException:
            self.stop()
            raise

    def url(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """Return the address of *database* for *user*; `pgbouncer` is its own console."""
        return f"postgresql://{quote(user, safe='')}@{HOST}:{self.port}/{quote(database, safe='')}"

    def stop(self) -> None:
        """Stop it and remove its folder; does nothing the second time or in a fork."""
        if not ending.drop(self):
            return
        if self._process:
            self._process.send_signal(signal.SIGTERM)  # at once, with all its connections
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE_S)
        self._folder.remove()

    def forget(self) -> None:
        """In a fork: leave it, and the lock on its folder, to the parent."""
        os.close(self._folder.handle)

    def __enter__(self) -> Self:
        """Return the running PgBouncer."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def __repr__(self) -> str:
        """Tell the two ports."""
        return f"<PgBouncer on port {self.port} before {self.server!r}>"

    def log(self) -> str:
        """Return what it has said so far."""
        return (self.folder / "log").read_text(errors="replace")

    def _start(self, settings: Mapping[str, str]) -> None:
        """Start it; should another process snatch the port, choose the next one."""
        ini = self._folder.inner / "pgbouncer.ini"
        logins = self._folder.inner / "logins"
        logins.write_text(f'"{SUPERUSER}" ""\n')
        for _ in range(ATTEMPTS):
            self.port = free_port()
            ini.write_text(configuration(self.server, self.port, logins, settings))
            for path in (ini, logins):
                if self.server.account.ids:
                    os.chown(path, *self.server.account.ids)
            with (self.folder / "log").open("wb") as log:
                words = [self._program, str(ini)]
                account, inner = self.server.account, self._folder.inner
                self._process = spawn(account, words, folder=inner, output=log)
            if self._ready(self._process):
                return
            if "Address already in use" not in self.log():
                break
        self._fail("PgBouncer did not start")

    def _ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until it says that it takes connections; False when it could not."""
        deadline = time.monotonic() + START_S
        while process.poll() is None:
            said = self.log()
            if "process up" in said:
                return f"listening on {HOST}:{self.port}" in said
            if time.monotonic() > deadline:
                self._fail(f"PgBouncer took more than {START_S:.0f} s to start")
            time.sleep(POLL_S)
        return False

    def _fail(self, what: str) -> NoReturn:
        """Raise with the last words of the log."""
        last = "\n".join(f"    {line}" for line in self.log().strip().splitlines()[-10:])
        raise ServerError(f"{what} ({self._program}). Mend what it says:\n{last}")


def configuration(server: Postgres, port: int, logins: Path, settings: Mapping[str, str]) -> str:
    """Return a pgbouncer.ini that takes every database and every login of *server*.

    Raises:
        ConfigurationError: for what can't be a setting.
    """
    fixed = {
        "listen_addr": HOST,
        "listen_port": str(port),
        "unix_socket_dir": "",
        "auth_type": "trust",
        "auth_file": str(logins),
        "auth_user": SUPERUSER,
        "admin_users": SUPERUSER,
    }
    lines = [plain(name, value) for name, value in {**fixed, **settings}.items()]
    return "\n".join(
        ["[databases]", f"* = host={HOST} port={server.port}", "[pgbouncer]", *lines, ""]
    )


def plain(name: str, value: str) -> str:
    """Return a line of pgbouncer.ini, which knows no quotes.

    Raises:
        ConfigurationError: *name* can't be a setting's, or *value* holds a line break.
    """
    setting(name, value)
    return f"{name} = {value}"


def pgbouncer(server: Postgres, settings: Mapping[str, str] | None = None) -> PgBouncer:
    """Start a PgBouncer before *server* and return it, for a `with` or to be stopped by hand.

    Args:
        server: a running disposable server.
        settings: of pgbouncer.ini, over `SETTINGS`: transactions are pooled, and what one leaves
            in its server session is discarded after it.

    Raises:
        ConfigurationError: no PgBouncer on this machine, or what can't be a setting.
        ServerError: it did not start; the message has its last words.
    """
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path=PLACES)
    if program is None:
        raise ConfigurationError(
            "no PgBouncer on this machine: install Debian's package pgbouncer, or put it on PATH"
        )
    remove_orphans()
    return PgBouncer(program, server, settings or {})
