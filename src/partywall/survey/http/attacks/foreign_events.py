"""Attack: another tenant's server-sent events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attempt import Attempt, Sight, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW316",
    effect="read",
    fix="look up what the stream is about among the caller's own before the first event, and "
    "publish under a key that the tenant is part of",
)
def foreign_events(sight: Sight) -> Iterator[Attempt]:
    """Wait for server-sent events by another tenant's id, or one's own, and hear of the other.

    A stream answers before it has anything to show, so that nothing in the answer tells whether it
    leaks: only an event does. Streams that everybody shares, filtered in the browser, leak all.

    Affected:
        Server-sent events: progress of a job, a feed, an agent's output.

    Breaches:
        tests/survey/http/test_live.py
        globex waits for events of its own project: it hears of its changes
        acme waits for events of globex's project: it hears of globex's changes

    Holds:
        tests/survey/http/test_live.py
        globex waits for events of its own project: it hears of its changes
        acme waits for events of globex's project: refused, or nothing of globex's

    Source: HTML Living Standard, Server-sent events
    (https://html.spec.whatwg.org/multipage/server-sent-events.html).
    """
    del sight  # it takes an answer that doesn't end: `live` makes these attempts
    return iter(())
