"""Attack: another tenant's id in the query, a header or a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attempt import VICTIM, Attempt, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW304",
    effect="read",
    fix="a filter narrows what the caller's tenant has: keep the tenant's own condition beside it",
)
def id_in_query(sight: Sight) -> Iterator[Attempt]:
    """Name another tenant's object in a parameter: to filter by it, or to choose what is meant.

    A filter that replaces the tenant's own condition, and doesn't join it, shows what it names.

    Affected:
        Lists that can be filtered, and operations that choose what is meant by a parameter.

    Breaches:
        faults/list_by_foreign_query: GET /orders
        globex lists the orders of its customer: 200, its own orders
        acme names globex's customer: 200, with globex's orders

    Holds:
        sound/header_checked: GET /orgs/{org_id}/cars
        globex lists its own cars: 200, its own cars
        acme adds globex's id as a parameter: 200, with acme's own cars

    Source: CWE-639, Authorization Bypass Through User-Controlled Key
    (https://cwe.mitre.org/data/definitions/639.html).
    """
    aimed = [*sight.at("query"), *sight.at("header"), *sight.at("cookie")]
    for slot in aimed:
        yield Attempt(f"{slot.place} {slot.name}: victim", {slot: VICTIM})
    if len(aimed) > 1:
        every = dict.fromkeys(aimed, VICTIM)
        yield Attempt("all ids of the query: victim", every)
