"""Attack: make an object under the id that another tenant's has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attempt import VICTIM, Attempt, Sight, attack
from partywall.survey.http.graph import Slot

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW309",
    effect="write",
    fix="let an insert never become an update of what another tenant has: make the tenant part of "
    "the key, and of the condition of ON CONFLICT",
)
def id_taken_over(sight: Sight) -> Iterator[Attempt]:
    """Create or import something with another tenant's id, so that it is overwritten or moved.

    An upsert finds the row by its id alone. The caller becomes its owner, or its content changes.

    Affected:
        APIs where a client chooses ids: PUT that creates, imports, synchronisation.

    Breaches:
        faults/id_chosen: POST /recipes
        globex makes a recipe: 201, with its id
        acme makes one with that id: 201, and globex finds its own changed

    Holds:
        sound/upsert_per_tenant: PUT /sites/{slug}
        globex puts a site under its slug: 200
        acme puts one under the same slug: 200, and globex's is as it was

    Source: CWE-639, Authorization Bypass Through User-Controlled Key
    (https://cwe.mitre.org/data/definitions/639.html).
    """
    operation = sight.operation
    if operation.method not in {"POST", "PUT"} or not operation.payloads:
        return
    made = [kind for kind in sight.graph.kinds.values() if operation in kind.makers[:2]]
    listed = operation.payloads[0].schema.get("type") == "array"
    for kind in made:
        names = {"id", *(name for name in kind.parameters if name in {"id", "uuid", "slug", "key"})}
        for name in sorted(names):
            slot = Slot("body", ("*", name) if listed else (name,), kind.name, required=False)
            if slot.path not in {one.path for one in sight.at("body")}:
                yield Attempt(f"body {slot.name}: victim", {slot: VICTIM})
