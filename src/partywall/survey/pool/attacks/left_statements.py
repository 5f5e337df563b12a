"""Attack: prepared statements that are left in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.pool.attempt import CLEARED, Attempt, Sight, attack
from partywall.survey.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW504",
    effect="write",
    fix=CLEARED,
)
def left_statements(sight: Sight) -> Iterator[Attempt]:
    """Prepare a statement by a name, and see whether it answers the next tenant by that name.

    Prepared statements belong to the session, and their names are often the same in each client:
    a tenant who prepares first decides what the other's statement answers.

    Affected:
        Pools that hand sessions on without clearing them, before clients that prepare statements.

    Breaches:
        pool_mode = transaction
        server_reset_query_always = 0

    Holds:
        pool_mode = transaction
        server_reset_query_always = 1

    Source:
        https://www.postgresql.org/docs/current/sql-prepare.html
        https://www.pgbouncer.org/config.html#max_prepared_statements
    """
    name = identifier(f"partywall_{sight.canary}")
    yield Attempt(
        "a prepared statement",
        (f"PREPARE {name} AS SELECT {literal(sight.canary)}::text",),
        f"EXECUTE {name}",
        sight.canary,
        (f"DEALLOCATE {name}",),
    )
