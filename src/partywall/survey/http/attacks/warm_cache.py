"""Attack: the same request right after the owner has made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attempt import OWN, VICTIM, Attempt, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW311",
    effect="read",
    fix="make the tenant part of the cache's key (or `Vary` on what tells it), and send "
    "`Cache-Control: private` with what is a tenant's",
    detour=True,
)
def warm_cache(sight: Sight) -> Iterator[Attempt]:
    """Ask right after the owner has asked the same: a response cache may answer with the owner's.

    A cache whose key is the path alone knows no tenant. Asked cold, the API seems to hold.

    Affected:
        APIs whose answers are cached by their address, in the application or before it.

    Breaches:
        faults/list_cache: GET /visits
        globex lists its visits: 200, its own visits
        acme lists right after it: 200, with globex's visits

    Holds:
        sound/cache_per_tenant: GET /maps/{map_id}
        globex asks for its own map: 200, with the map
        acme asks for it right after: refused

    Source: CWE-524, Use of Cache Containing Sensitive Information
    (https://cwe.mitre.org/data/definitions/524.html).
    """
    if not sight.operation.safe:
        return
    path = sight.at("path")
    yield Attempt("after the owner", dict.fromkeys(path, VICTIM), after="owner")
    if len(path) > 1:
        choices = dict.fromkeys(path[:-1], OWN) | {path[-1]: VICTIM}
        yield Attempt("own parents, after the owner", choices, after="owner")
