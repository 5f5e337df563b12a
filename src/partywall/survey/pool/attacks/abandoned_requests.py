"""Attack: requests that are hung up on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.pool.attempt import Storm, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW512",
    effect="read",
    storms=True,
    fix="enter a tenant for one transaction, and let no connection go back whose transaction "
    "did not end: close it instead",
)
def abandoned_requests() -> Iterator[Storm]:
    """Hang up on many requests half-way, and see what the other tenant is then answered.

    A request that is cancelled leaves its connection wherever it was: within a transaction, with
    an answer still to be read, entered. What is returned to the pool like that answers the next
    request with what the last one asked.

    Affected:
        Applications whose pools take connections back without a rollback, or whose cancelled
        requests skip what they clean up with.

    Breaches:
        tests/survey/pool/shop.py: left_when_cancelled
        acme hangs up on many requests for its own note
        globex asks for what nobody has entered: 200, with acme's note

    Holds:
        tests/survey/pool/shop.py: sound
        acme hangs up on many requests for its own note
        globex asks for its own note: 200, with its note

    Source:
        https://www.postgresql.org/docs/current/sql-set.html SET lasts for the session
    """
    yield Storm("hung up on", abandoned=True)
