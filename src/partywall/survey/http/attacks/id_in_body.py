"""Attack: another tenant's id in the body, alone, in a list, or in a nested object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attempt import VICTIM, Attempt, Choice, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


def _text(id_: str, _kind: str) -> str | None:
    """A number as a text."""
    return id_ if id_.isdigit() else None


def _upper(id_: str, _kind: str) -> str | None:
    return id_.upper() if id_.upper() != id_ else None


SPELLINGS = (("as a text", _text), ("in upper case", _upper))


@attack(
    "PW305",
    effect="write",
    fix="check each id of a body against the caller's tenant before it is used, in lists item by "
    "item; in the database a foreign key that holds the tenant does it for all",
)
def id_in_body(sight: Sight) -> Iterator[Attempt]:
    """Refer to another tenant's object in an own write.

    The path is the caller's own, the object that the body names is not: it is copied, shared,
    linked, counted, moved or deleted. What comes of it may show only in a second step, when the
    caller reads what it made.

    Affected:
        Writes that refer to something by its id: an order's lines, a parent, an attachment.

    Breaches:
        faults/nested_object: POST /orders
        globex orders its own product: 201, with the product's name
        acme orders globex's product: 201, with its name

    Holds:
        sound/needs_reference: POST /lessons
        globex names its own teacher: 201
        acme names globex's teacher: refused as an id that nobody has

    Source: OWASP API Security Top 10 2023, API1 Broken Object Level Authorization
    (https://owasp.org/API-Security/editions/2023/en/0xa1-broken-object-level-authorization/).
    """
    for slot in sight.at("body"):
        yield Attempt(f"body {slot.name}: victim", {slot: VICTIM})
        if not slot.required:  # some handlers look at one field, or at the others
            yield Attempt(f"body {slot.name}: victim, alone", {slot: VICTIM}, alone=True)
        if slot.path[-1] == "*":
            listed = Choice("victim", listed=True)
            yield Attempt(f"body {slot.name}: own and victim", {slot: listed})
        path = sight.at("path")
        if path:
            choices = dict.fromkeys((*path, slot), VICTIM)
            yield Attempt(f"path and body {slot.name}: victim", choices)
        for words, spelled in SPELLINGS:
            chosen = Choice("victim", spelled=spelled, spelling=words)
            yield Attempt(f"body {slot.name}: victim's {words}", {slot: chosen})
