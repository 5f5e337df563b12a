"""Attack: another tenant's id, written otherwise."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from partywall.survey.http.attempt import Attempt, Choice, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def _upper(id_: str, _kind: str) -> str | None:
    return next((other for other in (id_.upper(), id_.lower()) if other != id_), None)


def _bare(id_: str, _kind: str) -> str | None:
    return id_.replace("-", "") if UUID.fullmatch(id_) else None


def _braced(id_: str, _kind: str) -> str | None:
    return "{" + id_ + "}" if UUID.fullmatch(id_) else None


def _zeros(id_: str, _kind: str) -> str | None:
    return f"00{id_}" if id_.isdigit() else None


def _fraction(id_: str, _kind: str) -> str | None:
    return f"{id_}.0" if id_.isdigit() else None


def _signed(id_: str, _kind: str) -> str | None:
    return f"+{id_}" if id_.isdigit() else None


def _spaced(id_: str, _kind: str) -> str:
    return f"{id_} "


def _global(id_: str, kind: str) -> str:
    name = "".join(part.capitalize() for part in kind.split("_"))
    return base64.b64encode(f"{name}:{id_}".encode()).decode()


def _encoded(id_: str, _kind: str) -> str:
    return "".join(f"%{ord(letter):02X}" for letter in id_) if id_.isascii() else quote(id_)


def _twice(id_: str, _kind: str) -> str:
    return "".join(f"%25{ord(letter):02X}" for letter in id_[:4]) + quote(id_[4:])


def _dotted(id_: str, _kind: str) -> str:
    return f"{id_}.json"


# In words; how; and whether it is an encoding, which goes into the path as it is.
SPELLINGS: tuple[tuple[str, Callable[[str, str], Any], bool], ...] = (
    ("in the other case", _upper, False),
    ("without hyphens", _bare, False),
    ("in braces", _braced, False),
    ("with zeros before it", _zeros, False),
    ("as a fraction", _fraction, False),
    ("with a plus", _signed, False),
    ("with a space after it", _spaced, False),
    ("as a global id", _global, False),
    ("percent-encoded", _encoded, True),
    ("percent-encoded twice", _twice, True),
    ("with a suffix", _dotted, False),
)


@attack(
    "PW303",
    effect="read",
    fix="bring an id into one form before it is checked, and use that form for the query as well",
    detour=True,
)
def spelled_id(sight: Sight) -> Iterator[Attempt]:
    """Write another tenant's id in another way that means the same.

    A check that compares texts, and a query that compares values, disagree on the case of a UUID,
    on zeros before a number, on encodings: what the check doesn't know, the query finds. Global ids
    (base64 of the type and the id, as GraphQL servers have them) are looked up by a second way.

    Affected:
        APIs whose check compares texts, and whose database compares values.

    Breaches:
        faults/upper_case_id: GET /contracts/{contract_id}
        globex asks for its own contract: 200, with the contract
        acme asks for it with the id in upper case: 200, with globex's contract

    Holds:
        sound/echo_normalised: GET /shipments/{shipment_id}
        globex asks for its own shipment: 200, with the shipment
        acme asks for it with the id in upper case: refused, and nothing of it told

    Source: CWE-180, Incorrect Behavior Order: Validate Before Canonicalize
    (https://cwe.mitre.org/data/definitions/180.html).
    """
    slots = sight.at("path")
    if not slots:
        return
    last = slots[-1]
    for words, spelled, raw in SPELLINGS:
        choice = Choice("victim", spelled=spelled, spelling=words, raw=raw)
        yield Attempt(f"{last.name}: victim's {words}", {last: choice})
