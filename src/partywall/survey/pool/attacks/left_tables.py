"""Attack: temporary tables that are left in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.pool.attempt import CLEARED, Attempt, Sight, attack
from partywall.survey.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW505",
    effect="read",
    fix=CLEARED,
)
def left_tables(sight: Sight) -> Iterator[Attempt]:
    """Keep rows in a temporary table, and see whether the next tenant can read it.

    Temporary tables last as long as the session. Whoever is handed it reads what is in them, and
    a temporary table goes before one of the same name: what the next tenant writes goes there.

    Affected:
        Pools that hand sessions on without clearing them, before clients that make temporary
        tables: reports, imports.

    Breaches:
        pool_mode = transaction
        server_reset_query_always = 0

    Holds:
        pool_mode = transaction
        server_reset_query_always = 1

    Source:
        https://www.postgresql.org/docs/current/sql-createtable.html TEMPORARY
        https://www.pgbouncer.org/config.html#server_reset_query
    """
    name = identifier(f"partywall_{sight.canary}")
    yield Attempt(
        "a temporary table",
        (f"CREATE TEMPORARY TABLE {name} AS SELECT {literal(sight.canary)}::text AS said",),
        f"SELECT said FROM {name}",
        sight.canary,
        (f"DROP TABLE {name}",),
        attacker="finder",
    )
