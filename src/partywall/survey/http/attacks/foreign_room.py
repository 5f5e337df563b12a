"""Attack: another tenant's room at a socket.io server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attempt import Attempt, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW317",
    effect="read",
    fix="in the handler of each event that joins a room, look the room up among those of the "
    "connection's tenant; put the tenant into the room's name",
)
def foreign_room(sight: Sight) -> Iterator[Attempt]:
    """Join another tenant's room by its id, and hear what is sent there.

    Whoever is connected may send any event. A handler that puts the connection into the room that
    it was told lets everybody in, and an event sent without a room reaches all of them.

    Affected:
        Applications on socket.io whose clients join rooms by an event.

    Breaches:
        tests/survey/http/test_live.py
        globex joins its own room: it hears what is sent there
        acme joins globex's room: it hears what is sent there

    Holds:
        tests/survey/http/test_live.py
        globex joins its own room: it hears what is sent there
        acme joins globex's room: it hears nothing

    Source: Socket.IO, Rooms (https://socket.io/docs/v4/rooms/).
    """
    del sight  # it takes a connection that stays open: `live` makes these attempts
    return iter(())
