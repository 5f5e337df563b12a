"""Attack: an operation on all that the caller has, which may reach what others have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attempt import Attempt, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW322",
    effect="destroy",
    fix="begin every statement that changes or deletes many rows with the caller's tenant",
)
def whole_collection(sight: Sight) -> Iterator[Attempt]:
    """Use an operation that names nothing, as it is meant, and look what becomes of others' things.

    Empty the basket, mark all as read, import and replace: a statement without the tenant's
    condition does it to everybody.

    Affected:
        Operations that empty, mark, restore or export all there is.

    Breaches:
        faults/wipe_all: DELETE /faxes
        globex lists its faxes: 200, its own faxes
        acme empties its own tray: globex lists again, and finds none

    Holds:
        sound/consistent_403: POST /keys
        globex lists its keys: its own keys
        acme makes one more of its own: globex's are as they were

    Source: CWE-862, Missing Authorization
    (https://cwe.mitre.org/data/definitions/862.html).
    """
    if not sight.operation.safe and not sight.at("path"):
        yield Attempt("as it is")
