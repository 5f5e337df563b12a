"""Attack: what another tenant has removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attempt import OWN, VICTIM, Attempt, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW312",
    effect="read",
    fix="check the tenant of removed objects as of all others: before, not after, it is looked "
    "whether they are still there",
    detour=True,
)
def deleted_id(sight: Sight) -> Iterator[Attempt]:
    """Ask for an object that its owner has removed.

    What is only marked as deleted is looked up on a way of its own (an undelete, a trash, a cache
    that outlives it), where the tenant's condition may be missing.

    Affected:
        APIs that mark objects as deleted, and look at the mark before they look at the tenant.

    Breaches:
        faults/deleted_still_readable: GET /letters/{letter_id}
        globex deletes its own letter: 204
        acme asks for it then: 200, with the letter

    Holds:
        sound/soft_delete: GET /photos/{photo_id}
        globex deletes its own photo: 204
        acme asks for it then: refused as an id that nobody has

    Source: CWE-672, Operation on a Resource after Expiration or Release
    (https://cwe.mitre.org/data/definitions/672.html).
    """
    path = sight.at("path")
    if not sight.operation.safe or not path:
        return
    yield Attempt("after it was removed", dict.fromkeys(path, VICTIM), after="deleted")
    if len(path) > 1:
        choices = dict.fromkeys(path[:-1], OWN) | {path[-1]: VICTIM}
        yield Attempt("own parents, after it was removed", choices, after="deleted")
