"""Attack: a storm after which nobody is served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.pool.attempt import Storm, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW514",
    effect="disrupt",
    storms=True,
    fix="give back each connection in whatever way a request ends, and bound how long one "
    "waits for one",
)
def lasting_storm() -> Iterator[Storm]:
    """Hang up on many requests, make others fail, and see whether the other tenant is served again.

    A connection that a cancelled request never gives back is gone for all. When as many are gone
    as the pool has, the application answers nobody, and one tenant has done it.

    Affected:
        Applications that lose connections of their pool when a request is cancelled or fails.

    Breaches:
        tests/survey/pool/shop.py: lost_when_cancelled
        acme hangs up on many requests for its own note
        globex asks for its own note, then and later: no answer, or a 500

    Holds:
        tests/survey/pool/shop.py: sound
        acme hangs up on many requests for its own note
        globex asks for its own note: 200, with its note

    Source:
        https://cwe.mitre.org/data/definitions/772.html
    """
    yield Storm("hung up on", abandoned=True, lasting=True)
    yield Storm("made to fail", failing=True, lasting=True)
