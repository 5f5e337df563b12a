"""Messages that a channel is opened with, and what it takes as its place in a request.

A message is a text in which names in braces stand for ids: ``{"subscribe": "{project_id}"}``. Other
braces mean nothing.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from partywall.survey.http.credentials import carries
from partywall.survey.http.graph import Slot, kind_of
from partywall.survey.http.nouns import identifying
from partywall.survey.http.operations import (
    PLACEHOLDER,
    SOCKET,
    Operation,
    Parameter,
    Payload,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from partywall.survey.http.actors import Actor
    from partywall.survey.http.graph import Graph

NAMED = re.compile(r"{(\w+)}")
BARE = re.compile(r'"\\u0000({\w+})"')
TOKEN = "token"  # noqa: S105 - a name
"""What is filled with the caller's own token, in a message or a query."""
TEXT = {"type": "string"}
OPENING = "opening"
"""The media type, so to speak, of a message that a channel is opened with."""
SPOKEN = "spoken"
"""And of one that may be sent later: `{canary}` in it is a free text."""


def declared(line: str, known_from: str = "configuration") -> Operation:
    """A WebSocket as the configuration has it: its path, and perhaps a first message."""
    target, _, message = line.strip().partition(" ")
    path, _, query = target.partition("?")
    parameters = [Parameter(name, "path", True, TEXT) for name in PLACEHOLDER.findall(path)]  # noqa: FBT003 - as its field
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        fixed = None if not value or NAMED.fullmatch(value) else value
        parameters.append(Parameter(name, "query", True, TEXT, fixed))  # noqa: FBT003 - as above
    payloads = (Payload(OPENING, {}, example=message.strip()),) if message.strip() else ()
    return Operation(SOCKET, path, tuple(parameters), payloads, known_from=known_from)


def opening(operation: Operation) -> tuple[str, ...]:
    """The messages that a channel is opened with."""
    return tuple(str(one.example) for one in operation.payloads if one.media == OPENING)


def spoken(operation: Operation) -> tuple[str, ...]:
    """Messages that were seen to be sent once it was open."""
    return tuple(str(one.example) for one in operation.payloads if one.media == SPOKEN)


def slots(graph: Graph, operation: Operation) -> tuple[Slot, ...]:
    """The places for ids of a channel: in its path, its query and its messages."""
    found = []
    parts = operation.path.strip("/").split("/")
    for index, part in enumerate(parts):
        for name in PLACEHOLDER.findall(part):
            kind = graph.refers(name, TEXT) or kind_of(name, parts[:index])
            found.append(Slot("path", (name,), kind))
    for one in operation.parameters:
        if one.place == "query" and one.example is None and not shows(one.name):
            kind = graph.refers(one.name, TEXT)
            if kind or (one.required and identifying(one.name)):
                found.append(
                    Slot("query", (one.name,), kind or kind_of(one.name, []), one.required)
                )
    names = (name for text in opening(operation) for name in NAMED.findall(text))
    for name in dict.fromkeys(names):
        if name != TOKEN and not any(slot.path == (name,) for slot in found):
            found.append(Slot("body", (name,), graph.refers(name, TEXT) or kind_of(name, [])))
    return tuple(found)


def filled(text: str, values: Mapping[str, Any]) -> str:
    """A message with the ids in their places."""
    return NAMED.sub(lambda found: str(values.get(found[1], found[0])), text)


def shows(name: str) -> bool:
    """Whether a query parameter of this name carries the caller's token."""
    return name.lower() == TOKEN or carries("query", name)


def token(actor: Actor) -> str:
    """The caller's token, as a query or a message has it: without a scheme before it."""
    for name, value in actor.headers.items():
        if carries("header", name):
            return value.rpartition(" ")[2]
    return next(iter(actor.cookies.values()), "")


def general(text: str, ids: Collection[str]) -> str:
    """A recorded message with names in place of its ids."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return BARE.sub(r"\1", json.dumps(_named(found, "", ids), ensure_ascii=False))


def _named(value: Any, name: str, ids: Collection[str]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {key: _named(inner, key, ids) for key, inner in value.items()}
    if isinstance(value, list):
        return [_named(inner, name, ids) for inner in value]
    known = identifying(name) or (isinstance(value, str) and value in ids)
    if not known or not re.fullmatch(r"\w+", name) or isinstance(value, bool) or value is None:
        return value
    return f"{{{name}}}" if isinstance(value, str) else f"\x00{{{name}}}"


def free(text: str) -> str:
    """A recorded message with a name in place of its longest free text; "" where it has none."""
    try:
        found = json.loads(text)
    except ValueError:
        return ""
    texts = [one for one in _texts(found) if not NAMED.search(one)]
    longest = max(texts, key=len, default="")
    return text.replace(json.dumps(longest, ensure_ascii=False), '"{canary}"') if longest else ""


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
