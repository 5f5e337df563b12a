"""Attack: requests of two tenants that cross."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.pool.attempt import Storm, attack

if TYPE_CHECKING:
    from collections.abc import Iterator


@attack(
    "PW511",
    effect="read",
    storms=True,
    fix="keep what says who asks in the request and in its transaction, never in what "
    "requests share: a connection, a global, a pool",
)
def crossed_answers() -> Iterator[Storm]:
    """Let two tenants ask at once, more often than there are connections, and see who gets what.

    What is safe as long as one asks after the other is not when all connections are in use: a
    session whose setting another request changes in between, a context in a global variable.

    Affected:
        Applications that share connections, or anything that says who asks, between requests.

    Breaches:
        tests/survey/pool/shop.py: context_in_a_global
        acme and globex ask for their own notes, many at once: 200 for all
        acme asks for its own note among them: 200, with globex's note

    Holds:
        tests/survey/pool/shop.py: sound
        acme and globex ask for their own notes, many at once: 200 for all
        acme asks for its own note among them: 200, with its note

    Source:
        https://cwe.mitre.org/data/definitions/362.html
    """
    yield Storm("sent by both at once", meanwhile=True)
