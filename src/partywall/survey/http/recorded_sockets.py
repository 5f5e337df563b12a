"""WebSockets in recorded traffic: where they were opened, and what was said there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from partywall.survey.http.credentials import carries
from partywall.survey.http.messages import OPENING, SPOKEN, free, general, shows
from partywall.survey.http.nouns import identifying
from partywall.survey.http.operations import SOCKET, Operation, Parameter, Payload, shape
from partywall.survey.http.templates import template

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

PROTOCOL = "sec-websocket-protocol"
MOST = 6
"""So many messages of one socket are kept."""


def sockets(
    entries: Iterable[tuple[str, dict[str, Any]]], ids: Collection[str]
) -> Iterator[Operation]:
    """Each WebSocket once; *entries* are those of a HAR file with their paths."""
    seen = set()
    for path, entry in entries:
        known, values = template(path, ids)
        if shape(known) in seen:
            continue
        seen.add(shape(known))
        del values
        yield Operation(
            SOCKET,
            known,
            (*_parameters(entry["request"]),),
            tuple(_messages(entry.get("_webSocketMessages") or (), ids)),
            known_from="traffic",
        )


def opened(entry: dict[str, Any]) -> bool:
    """Whether it is a WebSocket."""
    kind = str(entry.get("_resourceType", "")).lower()
    scheme = urlsplit(entry["request"]["url"]).scheme
    return kind == "websocket" or scheme in {"ws", "wss"} or "_webSocketMessages" in entry


def _parameters(request: dict[str, Any]) -> Iterator[Parameter]:
    query = parse_qsl(urlsplit(request["url"]).query, keep_blank_values=True)
    for name, value in dict(query).items():
        fixed = None if shows(name) or identifying(name) else value
        yield Parameter(name, "query", required=True, schema={"type": "string"}, example=fixed)
    for header in request.get("headers") or ():
        value = str(header["value"])
        plain = len(value) < 40 and not carries("header", value)  # noqa: PLR2004 - a token is longer
        if str(header["name"]).lower() == PROTOCOL and plain:
            yield Parameter(PROTOCOL, "header", required=True, example=value)


def _messages(told: Iterable[dict[str, Any]], ids: Collection[str]) -> Iterator[Payload]:
    """What the client sent: first of all, and with an id, to open it; the rest may be said."""
    sent = [str(one.get("data") or "") for one in told if one.get("type") == "send"]
    for number, text in enumerate(sent[:MOST]):
        named = general(text, ids)
        if number == 0 or named != text:
            yield Payload(OPENING, {}, example=named)
        elif said := free(named):
            yield Payload(SPOKEN, {}, example=said)
