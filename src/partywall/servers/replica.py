"""A disposable streaming replica of a disposable server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.servers.cluster import HOST
from partywall.servers.folders import remove_orphans
from partywall.servers.launch import SUPERUSER, Postgres

if TYPE_CHECKING:
    from collections.abc import Mapping


class Replica(Postgres):
    """A running server that replays what its primary writes, and answers reads.

    It is stopped and removed as any other; its primary neither waits for it nor notices.
    """

    def __init__(self, primary: Postgres, settings: Mapping[str, str]) -> None:
        """Copy the primary and follow it; prefer `replica`, which also clears up orphans."""
        self.primary = primary
        super().__init__(primary.binaries, settings, primary.account)

    def _initialise(self, settings: Mapping[str, str]) -> None:
        """Copy the running primary, its settings included.

        https://www.postgresql.org/docs/current/app-pgbasebackup.html
        """
        origin = f"host={HOST} port={self.primary.port} user={SUPERUSER}"
        copy = [str(self._programs / "pg_basebackup"), "-D", str(self.data), "-d", origin]
        how = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--no-manifest"]
        if self._spawn([*copy, *how]).wait() != 0:
            self._fail("pg_basebackup could not copy the primary")
        self._configure(settings)


def replica(primary: Postgres, settings: Mapping[str, str] | None = None) -> Replica:
    """Start a streaming replica of *primary* and return it, for a `with` or to be stopped by hand.

    It answers as soon as it is returned, with what the primary had written when it was asked for,
    and follows from then on: asynchronously, so that a test which needs the two to differ can stop
    it with `pg_wal_replay_pause()`.

    Args:
        primary: a running server that keeps enough log for replicas (`wal_level` other than
            `minimal`, which is the default).
        settings: of postgresql.conf, over those of the primary.

    Raises:
        ConfigurationError: a setting's name can't be one.
        ServerError: the copy could not be made or did not start; the message has the last words.
    """
    remove_orphans()
    return Replica(primary, settings or {})
