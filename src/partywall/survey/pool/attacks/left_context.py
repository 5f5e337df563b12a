"""Attack: a context that was entered for a session, and not for a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.pool.attempt import Attempt, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW501",
    effect="read",
    fix="enter a tenant for one transaction only, by SET LOCAL or set_config(…, true); what "
    "is set for a session stays when the session is handed on",
    nobody=True,
)
def left_context(sight: Sight) -> Iterator[Attempt]:
    """Enter as a tenant, give the session back, and see who a session is that nobody has entered.

    Statements of session scope outlive the transaction. The next one to be handed the session, a
    job without a tenant, a health check, a request whose own entering failed, acts as the tenant
    who had it before, and reads what is that tenant's.

    Affected:
        Applications that enter a tenant by SET or set_config(…, false) on pooled connections.

    Breaches:
        enter = SELECT set_config('app.tenant', '{tenant}', false)
        pool_mode = transaction
        server_reset_query_always = 0

    Holds:
        enter = SELECT set_config('app.tenant', '{tenant}', true)
        pool_mode = transaction
        server_reset_query_always = 0

    Source:
        https://www.pgbouncer.org/features.html SQL features by pooling mode: SET
        https://www.postgresql.org/docs/current/functions-admin.html set_config: is_local
    """
    for one in sight.carried:
        yield Attempt(one.name, (), one.look, one.value, attacker="finder", told=one.told)
