"""Attack: requests that fail within the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.pool.attempt import Storm, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW513",
    effect="read",
    storms=True,
    fix="clear the connection in a finally, not after success: roll back, and enter for one "
    "transaction only",
)
def stumbled_requests() -> Iterator[Storm]:
    """Make many requests fail within the database, and see what the other tenant is then answered.

    What is cleaned up after success alone stays after a failure: the tenant that was entered, the
    transaction that failed. An id that the database can't take is enough.

    Affected:
        Applications that reset a connection at the end of a request, and not in all its ends.

    Breaches:
        tests/survey/pool/shop.py: left_when_failed
        acme asks for notes with ids that the database refuses: 500
        globex asks for what nobody has entered: 200, with acme's note

    Holds:
        tests/survey/pool/shop.py: sound
        acme asks for notes with ids that the database refuses: 500
        globex asks for its own note: 200, with its note

    Source:
        https://cwe.mitre.org/data/definitions/460.html
    """
    yield Storm("made to fail", failing=True)
