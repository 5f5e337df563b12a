"""Attack: cursors that are left open in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.pool.attempt import CLEARED, Attempt, Sight, attack
from partywall.survey.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW508",
    effect="read",
    fix=CLEARED,
)
def left_cursors(sight: Sight) -> Iterator[Attempt]:
    """Keep a cursor open beyond its transaction, and see whether the next tenant can fetch from it.

    A cursor WITH HOLD keeps the rows of its query for the session, also from a tenant who has
    none of them.

    Affected:
        Applications that page through results by cursors WITH HOLD on pooled connections.

    Breaches:
        pool_mode = transaction
        server_reset_query_always = 0

    Holds:
        pool_mode = transaction
        server_reset_query_always = 1

    Source:
        https://www.postgresql.org/docs/current/sql-declare.html WITH HOLD
        https://www.pgbouncer.org/features.html
    """
    name = identifier(f"partywall_{sight.canary}")
    query = f"SELECT {literal(sight.canary)}::text"
    yield Attempt(
        "a cursor",
        (f"DECLARE {name} SCROLL CURSOR WITH HOLD FOR {query}",),
        f"FETCH ABSOLUTE 1 FROM {name}",
        sight.canary,
        (f"CLOSE {name}",),
        attacker="finder",
    )
