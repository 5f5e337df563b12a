"""Attack: settings that are left in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.pool.attempt import CLEARED, Attempt, Sight, attack
from partywall.survey.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW502",
    effect="write",
    fix=CLEARED,
)
def left_settings(sight: Sight) -> Iterator[Attempt]:
    """Change a setting for the session, and see whether the next tenant works with it.

    A search_path that begins with a schema of one tenant's choice decides which tables the other
    tenant's statements mean; a time-out ends them. It takes one statement of session scope, by an
    injection or by the application itself.

    Affected:
        Pools that hand sessions on without clearing them.

    Breaches:
        pool_mode = transaction
        server_reset_query_always = 0

    Holds:
        pool_mode = transaction
        server_reset_query_always = 1

    Source:
        https://www.pgbouncer.org/config.html#server_reset_query
        https://www.pgbouncer.org/features.html
    """
    setting = f"partywall.{sight.canary}"
    yield Attempt(
        "a setting of its own",
        (f"SELECT set_config({literal(setting)}, {literal(sight.canary)}, false)",),
        f"SELECT current_setting({literal(setting)}, true)",
        sight.canary,
        (f"SELECT set_config({literal(setting)}, '', false)",),
    )
    yield Attempt(
        "the search_path",
        (f"SET search_path = {identifier(sight.canary)}",),
        "SELECT current_setting('search_path')",
        sight.canary,
        ("RESET search_path",),
    )
