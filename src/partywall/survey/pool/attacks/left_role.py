"""Attack: a role that is left in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.pool.attempt import CLEARED, Attempt, Sight, attack
from partywall.survey.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 3
"""So many roles are tried: they are left in the same way."""


@attack(
    "PW503",
    effect="escalate",
    fix=f"take a role by SET LOCAL ROLE, for one transaction, and {CLEARED}",
)
def left_role(sight: Sight) -> Iterator[Attempt]:
    """Take another role for the session, and see whether the next tenant acts as it.

    SET ROLE lasts until the session ends. Where each tenant has a role of its own, the next one
    acts as its predecessor; where the role is one with more rights, with those.

    Affected:
        Applications that change roles on pooled connections, and pools that don't clear sessions.

    Breaches:
        pool_mode = transaction
        server_reset_query_always = 0

    Holds:
        pool_mode = transaction
        server_reset_query_always = 1

    Source:
        https://www.postgresql.org/docs/current/sql-set-role.html
        https://www.pgbouncer.org/config.html#server_reset_query
    """
    for role in sight.roles[:MOST]:
        yield Attempt(
            f"the role {role}",
            (f"SET ROLE {identifier(role)}",),
            "SELECT current_user::text",
            role,
            ("RESET ROLE",),
        )
