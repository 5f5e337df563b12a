"""Attack: the id of another tenant's object in the path."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from partywall.survey.http.attempt import NOBODY, OWN, VICTIM, Attempt, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 3
"""So many ids in a path are combined in every way; of more, the last ones."""


@attack(
    "PW301",
    effect="read",
    fix="look the object up among the caller's own: by its id and the caller's tenant in one "
    "condition, through every parent that the path names",
)
def others_id(sight: Sight) -> Iterator[Attempt]:
    """Ask for another tenant's object by its id, with each mix of own and foreign parents.

    An operation that checks the parent and not the child lets in whoever has a parent of its own;
    one that checks the child and not the parent, whoever knows a foreign one. So every subset of
    the path's ids is the victim's.

    Affected:
        APIs that look an object up by its id, and then ask only whether the caller is logged in.

    Breaches:
        faults/read_by_id: GET /invoices/{invoice_id}
        globex asks for its own invoice: 200, with the invoice
        acme asks for globex's invoice: 200, with the same invoice

    Holds:
        sound/consistent_403: GET /keys/{key_id}
        globex asks for its own key: 200, with the key
        acme asks for globex's key: refused as an id that nobody has

    Source: OWASP API Security Top 10 2023, API1 Broken Object Level Authorization
    (https://owasp.org/API-Security/editions/2023/en/0xa1-broken-object-level-authorization/).
    """
    slots = sight.at("path")
    free, fixed = slots[-MOST:], slots[:-MOST]
    for sides in product((OWN, VICTIM, NOBODY), repeat=len(free)):
        if VICTIM not in sides:
            continue
        choices = dict.fromkeys(fixed, OWN) | dict(zip(free, sides, strict=True))
        said = ", ".join(f"{slot.name}: {choices[slot].side}" for slot in slots)
        yield Attempt(said, choices)
