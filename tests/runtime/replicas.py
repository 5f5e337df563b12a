"""A replica held where a test wants it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.servers import Postgres, Replica

AT_ONCE = {"synchronous_commit": "on"}
"""What is committed is in the primary's log, and on its way, before the commit returns."""


def ask(server: Postgres, query: str, database: str = "postgres") -> str:
    """The first value, as the superuser gets it; "" where the statement has none."""
    with psycopg.connect(server.url(database), autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return str((cursor.fetchone() or [""])[0]) if cursor.description else ""


def until(server: Postgres, condition: str) -> None:
    """Wait until the server says so; polled, for it tells nobody."""
    deadline = time.monotonic() + 30
    while ask(server, f"SELECT {condition}") != "True":
        assert time.monotonic() < deadline, condition
        time.sleep(0.005)


def until_replayed(copy: Replica) -> None:
    """Wait until the replica shows all that its primary has committed."""
    written = ask(copy.primary, "SELECT pg_current_wal_flush_lsn()")
    until(copy, f"pg_last_wal_replay_lsn() >= '{written}'")


def until_received(copy: Replica) -> None:
    """Wait until the replica was sent all of it, whether it shows it or not."""
    written = ask(copy.primary, "SELECT pg_current_wal_flush_lsn()")
    until(copy, f"pg_last_wal_receive_lsn() >= '{written}'")


@contextmanager
def paused(copy: Replica) -> Iterator[None]:
    """The replica receives, and shows nothing new."""
    ask(copy, "SELECT pg_wal_replay_pause()")
    until(copy, "pg_get_wal_replay_pause_state() = 'paused'")
    try:
        yield
    finally:
        ask(copy, "SELECT pg_wal_replay_resume()")
