"""Attack: a transaction that is left open in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.pool.attempt import Attempt, Sight, attack
from partywall.survey.sql import literal

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILED = "25P02"
"""What the server answers within a transaction that has failed."""


@attack(
    "PW509",
    effect="read",
    fix="let the pool end a session whose client went away within a transaction, or roll it "
    "back before it is handed on; PgBouncer closes it",
)
def left_transaction(sight: Sight) -> Iterator[Attempt]:
    """Go away within a transaction, and see whether the next tenant is put into it.

    A client that crashes leaves a transaction open. Handed on like that, the next tenant sees
    what was never committed, is entered as its predecessor by SET LOCAL, and commits the other's
    changes; a failed transaction refuses all that the next tenant asks.

    Affected:
        Poolers that don't look at the state of a session before they hand it on, and pools within
        applications that return connections without a rollback.

    Breaches:
        pool = hands each session on as it is

    Holds:
        pool_mode = session
        server_reset_query =

    Source:
        https://www.postgresql.org/docs/current/protocol-flow.html ReadyForQuery: the state
        https://www.pgbouncer.org/features.html
    """
    setting = f"partywall.{sight.canary}"
    yield Attempt(
        "a transaction",
        (f"SELECT set_config({literal(setting)}, {literal(sight.canary)}, true)",),
        f"SELECT current_setting({literal(setting)}, true)",
        sight.canary,
        attacker="finder",
        unfinished=True,
    )
    yield Attempt(
        "a failed transaction",
        ("SELECT 1/0",),
        "SELECT 1",
        FAILED,
        unfinished=True,
        anywhere=True,  # a session that refuses everything doesn't tell which one it is
    )
