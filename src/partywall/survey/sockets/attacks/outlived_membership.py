"""Attack: a socket that outlives its membership."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.sockets.attempt import Attempt, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW801",
    effect="read",
    fix="look at who is listening again: on a schedule, and at once when a membership ends, a "
    "tenant is suspended or a token is revoked; close what is open with it, and refuse it anew",
)
def outlived_membership() -> Iterator[Attempt]:
    """Leave a tenant with a socket open, and hear what is published there afterwards.

    Who is let in is asked when a socket is opened, and often never again: whoever was dismissed
    hears everything for as long as the connection lasts, for days where nothing ends it. A token
    that holds until its time ends opens it anew.

    Affected:
        WebSockets and server-sent events of applications whose members can be removed.

    Breaches:
        tests/survey/sockets/board.py: asked_once
        globex removes a member who listens, and then publishes something: 200
        globex loses it to the former member, whose socket was left open

    Holds:
        tests/survey/sockets/board.py: sound
        globex removes a member who listens, and then publishes something: 200
        globex is heard by who is still a member, and not by the former one

    Source:
        https://cwe.mitre.org/data/definitions/613.html
    """
    yield Attempt("left open")
    yield Attempt("opened again", reopened=True)
