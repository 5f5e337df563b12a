"""From an operation and the ids for its slots to the request that is sent."""

from __future__ import annotations

import re
import string
import uuid
from typing import TYPE_CHECKING, Any, TypeAlias

from partywall.survey.http.operations import PLACEHOLDER
from partywall.survey.http.schemas import resolve
from partywall.survey.http.slots import Slot
from partywall.survey.http.values import Values
from partywall.survey.http.wire import Request, segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.http.bodies import Body
    from partywall.survey.http.ledger import Ledger
    from partywall.survey.http.operations import Api, Operation, Parameter, Place


class Raw(str):
    """A text that goes into a path as it is."""

    __slots__ = ()


Binding: TypeAlias = "Mapping[Slot, Any]"
UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
HEXADECIMAL = re.compile(r"[0-9a-f]{8,}")
FAR = 100_000_007
"""Added to a number it gives one that nobody has, and that fits 32 bits."""
MOST_DIGITS = 9
TRIES = 20


def render(
    api: Api, operation: Operation, binding: Binding, body: Body, ledger: Ledger, owner: str
) -> Request:
    """The request of *owner*; parameters that are no ids get a plausible value where required."""
    values = Values(ledger, owner)

    def filled(match: re.Match[str]) -> str:
        name = match[1]
        slot = _slot(binding, "path", name)
        if slot is None:
            return segment(constant(api, operation.parameter("path", name), name, values))
        value = binding[slot]
        return value if isinstance(value, Raw) else segment(value)

    path = operation.prefix + PLACEHOLDER.sub(filled, operation.path)
    told: dict[str, list[tuple[str, str]]] = {"query": [], "header": [], "cookie": []}
    for one in operation.parameters:
        slot = _slot(binding, one.place, one.name)
        if one.place == "path" or (slot is None and not one.required):
            continue
        value = constant(api, one, one.name, values) if slot is None else binding[slot]
        for each in value if isinstance(value, list) else [value]:
            told[one.place].append((one.name, written(each)))
    described = {(one.place, one.name) for one in operation.parameters}
    for slot, value in binding.items():
        if slot.place in told and (slot.place, slot.path[0]) not in described:
            told[slot.place].append((slot.path[0], written(value)))
    return Request(
        operation.method,
        path,
        tuple(told["query"]),
        tuple(told["header"]),
        tuple(told["cookie"]),
        body.media,
        body.value,
    )


def _slot(binding: Binding, place: Place, name: str) -> Slot | None:
    """The slot of a parameter, also where its value is a list."""
    slots = (slot for slot in binding if slot.place == place and slot.path[0] == name)
    return next(slots, None)


def constant(api: Api, parameter: Parameter | None, name: str, values: Values) -> Any:  # noqa: ANN401 - any JSON
    """A value for a parameter that is no id."""
    if parameter is None:
        return values.value(name, {"type": "string"})
    if parameter.example is not None:
        return parameter.example
    plain = resolve(parameter.schema, api.document)
    for given in ("example", "default"):
        if plain.get(given) is not None:
            return plain[given]
    if plain.get("type") == "array":
        return [values.value(name, resolve(plain.get("items", {}), api.document))]
    return values.value(name, plain)


def written(value: object) -> str:
    """A value as a query or a header has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def nobodys(value: Any, ledger: Ledger) -> Any:  # noqa: ANN401 - an id of any type
    """An id of the same form that nobody has; of each, where it is a list."""
    if isinstance(value, list):
        return [nobodys(each, ledger) for each in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value + FAR + ledger.random.randrange(1000)
    text = str(value)
    if UUID.fullmatch(text):
        return str(uuid.UUID(int=ledger.random.getrandbits(128), version=4))
    if text.isdecimal() and len(text) <= MOST_DIGITS:
        return str(int(text) + FAR)
    head, mark, tail = text.rpartition("_")
    if not tail:
        head, mark, tail = "", "", text
    return head + mark + _other(tail, ledger)


def _other(text: str, ledger: Ledger) -> str:
    """Another text of the same length and characters of the same sort, where there is one."""
    hexadecimal = HEXADECIMAL.fullmatch(text) is not None and not text.isdecimal()
    for _ in range(TRIES):
        made = "".join(_like(letter, ledger, hexadecimal=hexadecimal) for letter in text)
        if made != text:
            return made
    return f"{text}x"


def _like(letter: str, ledger: Ledger, *, hexadecimal: bool) -> str:
    if hexadecimal:
        return ledger.random.choice("0123456789abcdef")
    if letter.isdigit():
        return ledger.random.choice("23456789")
    if not letter.isalpha():
        return letter
    return ledger.random.choice(
        string.ascii_uppercase if letter.isupper() else string.ascii_lowercase
    )


def references(binding: Mapping[Slot, Any]) -> dict[tuple[str, ...], Any]:
    """The ids that go into the body."""
    return {slot.path: value for slot, value in binding.items() if slot.place == "body"}
