"""A disposable Redis.

https://redis.io/docs/latest/operate/oss_and_stack/management/config/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from partywall.errors import ConfigurationError
from partywall.servers.accounts import choose_account
from partywall.servers.cluster import HOST
from partywall.servers.daemon import Daemon, found
from partywall.servers.folders import remove_orphans

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTINGS = {"save": '""', "appendonly": "no", "set-proc-title": "no"}
"""Nothing is written to disk, and orphans are known by their command line."""


class Redis(Daemon):
    """A running Redis of its own, without a password, on this machine's loopback."""

    name = "Redis"

    def url(self, database: int = 0) -> str:
        """Return the address of one of its sixteen databases."""
        return f"redis://{HOST}:{self.port}/{database}"

    def __repr__(self) -> str:
        """Tell the port."""
        return f"<Redis on port {self.port}>"

    def configuration(self, settings: Mapping[str, str]) -> Mapping[str, str]:
        """One directive a line.

        Raises:
            ConfigurationError: for what can't be a setting.
        """
        fixed = {"bind": HOST, "port": str(self.port), "dir": str(self.inner), **SETTINGS}
        lines = [directive(name, value) for name, value in {**fixed, **settings}.items()]
        return {"redis.conf": "".join(lines)}

    def listening(self, log: str) -> bool | None:
        """It ends where it could not take the port."""
        return True if "Ready to accept connections" in log else None


def directive(name: str, value: str) -> str:
    """Return a line of redis.conf.

    Raises:
        ConfigurationError: *name* can't be a setting's, or *value* holds a line break.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name) or "\n" in value:
        raise ConfigurationError(f"{name!r} = {value!r} is no setting of Redis")
    return f"{name} {value}\n"


def redis(settings: Mapping[str, str] | None = None) -> Redis:
    """Start a Redis and return it, for a `with` or to be stopped by hand.

    Args:
        settings: of redis.conf, over `SETTINGS`: ``{"maxmemory": "10mb"}``.

    Raises:
        ConfigurationError: no Redis on this machine, or what can't be a setting.
        ServerError: it did not start; the message has its last words.
    """
    program = found("redis-server", name="Redis", package="redis-server")
    remove_orphans()
    return Redis(program, choose_account(), settings or {})
