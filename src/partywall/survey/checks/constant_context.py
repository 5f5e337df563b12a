"""PW109: a helper that asks who is there is declared to be constant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.check import Hit, check
from partywall.survey.mending.functions import altered
from partywall.survey.policies import guarded, helpers, reads_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.attack import Scene


@check("PW109", hygiene=True)
def constant_context(scene: Scene) -> Iterator[Hit]:
    """Find IMMUTABLE functions in policies that read a setting or the current role.

    The planner evaluates them once and keeps the answer in the plan. The attack stale-plans
    shows rows of the tenant before; this is the advice where sessions differ by role.

    Affected:
        Policies that ask a helper for the tenant.

    Fires:
        CREATE FUNCTION me() RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT current_setting('app.tenant', true)$$; CREATE POLICY mine ON invoice USING (tenant = me())

    Silent:
        CREATE FUNCTION me() RETURNS text LANGUAGE sql STABLE AS $$SELECT current_setting('app.tenant', true)$$; CREATE POLICY mine ON invoice USING (tenant = me())
        CREATE FUNCTION fixed() RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT 'acme'$$; CREATE POLICY mine ON invoice USING (tenant = fixed())

    Fix:
        Declare the function STABLE.

    Source:
        https://www.postgresql.org/docs/current/xfunc-volatility.html
    """  # noqa: E501 - an example is one line
    told = set()
    for table, _ in guarded(scene):
        for function in helpers(scene, table):
            if function.volatility != "immutable" or function.oid in told:
                continue
            if reads_context(scene, function):
                told.add(function.oid)
                yield Hit(
                    function.signature,
                    "it answers with who asks, and is declared IMMUTABLE: plans keep its answer",
                    repair=(altered(function, "STABLE"),),
                )
