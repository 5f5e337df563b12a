"""Attack: channels that are still listened on in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.pool.attempt import CLEARED, Attempt, Sight, attack
from partywall.survey.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW507",
    effect="read",
    fix=f"listen on a connection of its own, outside of the pool, and {CLEARED}",
)
def left_channels(sight: Sight) -> Iterator[Attempt]:
    """Listen on a channel, and see whether the next tenant is told what is said there.

    LISTEN lasts until the session ends. Whoever is handed it is sent what was meant for its
    predecessor, and whoever listened is not.

    Affected:
        Applications that listen on pooled connections.

    Breaches:
        pool_mode = transaction
        server_reset_query_always = 0

    Holds:
        pool_mode = transaction
        server_reset_query_always = 1

    Source:
        https://www.postgresql.org/docs/current/sql-listen.html
        https://www.pgbouncer.org/features.html
    """
    channel = f"partywall_{sight.canary}"
    yield Attempt(
        "a channel that is listened on",
        (f"LISTEN {identifier(channel)}", f"NOTIFY {identifier(channel)}"),
        f"SELECT c FROM pg_listening_channels() AS c WHERE c = {literal(channel)}",
        channel,
        (f"UNLISTEN {identifier(channel)}",),
        attacker="finder",
        heard=True,
    )
