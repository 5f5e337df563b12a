"""Attack: advisory locks that are left in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

from partywall.survey.pool.attempt import CLEARED, Attempt, Sight, attack
from partywall.survey.sql import literal

if TYPE_CHECKING:
    from collections.abc import Iterator

SPACE = 0x5057
"""The first half of the lock's key, "PW": nobody else's is likely to begin so."""


@attack(
    "PW506",
    effect="disrupt",
    fix=f"lock for a transaction, by pg_advisory_xact_lock, and {CLEARED}",
)
def left_locks(sight: Sight) -> Iterator[Attempt]:
    """Take an advisory lock for the session, go, and see whether it is held still.

    A lock of session scope is held until the session ends, which in a pool may be never. Nobody
    is left who could release it: whoever needs it waits.

    Affected:
        Applications that take advisory locks on pooled connections: jobs, migrations, counters.

    Breaches:
        pool_mode = transaction
        server_reset_query_always = 0

    Holds:
        pool_mode = transaction
        server_reset_query_always = 1

    Source:
        https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
        https://www.pgbouncer.org/features.html
    """
    key = crc32(sight.canary.encode()) & 0x7FFFFFFF
    held = f"locktype = 'advisory' AND classid = {SPACE} AND objid = {key} AND granted"
    yield Attempt(
        "an advisory lock",
        (f"SELECT pg_advisory_lock_shared({SPACE}, {key})",),
        f"SELECT {literal(sight.canary)} FROM pg_locks WHERE {held}",
        sight.canary,
        (f"SELECT pg_advisory_unlock_shared({SPACE}, {key})",),
        anywhere=True,
    )
