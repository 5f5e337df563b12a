"""A disposable PgBouncer before a disposable server.

https://www.pgbouncer.org/config.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from partywall.servers.cluster import HOST, setting
from partywall.servers.daemon import Daemon, found
from partywall.servers.folders import remove_orphans
from partywall.servers.launch import SUPERUSER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.servers.launch import Postgres

SETTINGS = {
    "pool_mode": "transaction",
    "server_reset_query": "DISCARD ALL",
    "server_reset_query_always": "1",
    "default_pool_size": "20",
    "max_client_conn": "1000",
}


class PgBouncer(Daemon):
    """A running PgBouncer of its own, with trust for everyone on this machine's loopback.

    Attributes:
        server: behind it; logins are asked of it, so that roles may be made at any time.
    """

    name = "PgBouncer"

    def __init__(self, program: str, server: Postgres, settings: Mapping[str, str]) -> None:
        """Start it; prefer `pgbouncer`, which also finds the program and clears up orphans."""
        self.server = server
        super().__init__(program, server.account, {**SETTINGS, **settings})

    def url(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """Return the address of *database* for *user*; `pgbouncer` is its own console."""
        return f"postgresql://{quote(user, safe='')}@{HOST}:{self.port}/{quote(database, safe='')}"

    def __repr__(self) -> str:
        """Tell the two ports."""
        return f"<PgBouncer on port {self.port} before {self.server!r}>"

    def configuration(self, settings: Mapping[str, str]) -> Mapping[str, str]:
        """Take every database and every login of the server behind it.

        Raises:
            ConfigurationError: for what can't be a setting.
        """
        fixed = {
            "listen_addr": HOST,
            "listen_port": str(self.port),
            "unix_socket_dir": "",
            "auth_type": "trust",
            "auth_file": str(self.inner / "logins"),
            "auth_user": SUPERUSER,
            "admin_users": SUPERUSER,
        }
        lines = [plain(name, value) for name, value in {**fixed, **settings}.items()]
        everything = f"* = host={HOST} port={self.server.port}"
        ini = "\n".join(["[databases]", everything, "[pgbouncer]", *lines, ""])
        return {"pgbouncer.ini": ini, "logins": f'"{SUPERUSER}" ""\n'}

    def listening(self, log: str) -> bool | None:
        """It says that it is up also where it could not take the port."""
        return f"listening on {HOST}:{self.port}" in log if "process up" in log else None


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
    program = found("pgbouncer", name="PgBouncer", package="pgbouncer")
    remove_orphans()
    return PgBouncer(program, server, settings or {})
