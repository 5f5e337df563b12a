"""Attack: another tenant's WebSocket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attempt import Attempt, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW315",
    effect="read",
    fix="when a socket is opened, and at each message that names something, look it up among the "
    "caller's own; send to the connections of its tenant and to no other",
)
def foreign_channel(sight: Sight) -> Iterator[Attempt]:
    """Open a WebSocket by another tenant's id, or one's own, and hear what the other one does.

    A handshake often passes by what checks ordinary requests (middleware, dependencies, filters),
    and what is sent to all connections asks nobody. So its owner changes something while both
    listen: what the attacker hears of it leaks, and so does what is replayed on opening. What the
    attacker sends into the other's channel and the other hears is a write. Where the plain name is
    refused it is written otherwise: as a pattern, in a list, by a detour, with another separator or
    in the other case; for what such a name means at all, its owner is asked by the same.

    Affected:
        WebSockets that are opened by an id: rooms, documents, boards.

    Breaches:
        faults/websocket_channel: WS /rooms/{room_id}/live
        globex opens its own room: it hears what is said there
        acme opens globex's room: it hears what globex says

    Breaches:
        faults/websocket_pattern: WS /rooms/{room_id}/live
        globex opens its own room by a pattern: it hears what is said there
        acme opens every room by the same pattern: it hears what globex says

    Holds:
        sound/websocket_pattern: WS /rooms/{room_id}/live
        globex opens its own room by a pattern: it hears what is said there
        acme opens every room by the same pattern: it hears what is said in its own

    Holds:
        sound/websocket_walled: WS /sessions/{session_id}/strokes
        globex opens its own session: it hears what is drawn there
        acme opens globex's session: closed, as one that nobody has

    Source: OWASP Web Security Testing Guide, Testing WebSockets
    (https://owasp.org/www-project-web-security-testing-guide/latest/4-Web_Application_Security_Testing/11-Client-side_Testing/10-Testing_WebSockets).
    """
    del sight  # it takes a connection that stays open: `live` makes these attempts
    return iter(())
