"""Attack: something in the place of an id that may stand for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attempt import VICTIM, Attempt, Choice, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Iterator

WILDCARDS = ("*", "%", "", "~", "all")
MOST_WRITTEN = 3


@attack(
    "PW302",
    effect="read",
    fix="take ids as ids: parse them by their type, and bind them as parameters",
    detour=True,
)
def wildcard_id(sight: Sight) -> Iterator[Attempt]:
    """Send a wildcard for an id, or nothing.

    An id that ends up in a LIKE, a glob, a cache key or a prefix of a store matches more than one
    object when it is ``%``, ``*`` or empty, and some APIs give ``~``, ``-`` or ``all`` a meaning.

    Affected:
        APIs that match ids as patterns, by LIKE or in a search engine, or that treat an empty id
        as all.

    Breaches:
        faults/wildcard_star: GET /devices/{device_id}
        globex asks for its own device: 200, with the device
        acme asks for the device *: 200, with globex's device

    Holds:
        sound/consistent_403: GET /keys/{key_id}
        globex asks for its own key: 200, with the key
        acme asks for the key *: refused as an id that nobody has

    Source: CWE-155, Improper Neutralization of Wildcards or Matching Symbols
    (https://cwe.mitre.org/data/definitions/155.html).
    """
    slots = sight.at("path")
    wildcards = WILDCARDS if sight.operation.safe else WILDCARDS[:MOST_WRITTEN]
    for slot in slots:
        for wild in wildcards:
            chosen = Choice("own", literal=wild)
            yield Attempt(f"{slot.name}: {wild!r}", {slot: chosen}, last=True)
            if slot != slots[-1]:
                mode = f"{slot.name}: {wild!r}, {slots[-1].name}: victim"
                yield Attempt(mode, {slot: chosen, slots[-1]: VICTIM}, last=True)
