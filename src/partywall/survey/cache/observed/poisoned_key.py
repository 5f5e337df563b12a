"""PW612: what one tenant's request wrote is what another tenant's reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Breach, Unclear
from partywall.survey.cache.judging import attempts
from partywall.survey.trying import attack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.attack import Judgement
    from partywall.survey.cache.observation import Observation
    from partywall.survey.recorded import Record
    from partywall.survey.trying import Attempt


@attack(
    "PW612",
    effect="write",
    fix="put the tenant into the name of the key (`acme:reports:weekly`), made in one place from "
    "the tenant context; keep nothing of a request there that its key doesn't name",
)
def poisoned_key(observation: Observation) -> Iterator[Attempt[Record]]:
    """Let a tenant write into a key first, and see whether another is then answered with that.

    The same key as in key-without-tenant, seen from its other side: who comes first decides what
    all others believe.

    Affected:
        Applications that cache by the address, the function's arguments or an object's id alone.

    Breaches:
        key = f"settings:{name}"
        acme changes its greeting, which is kept by that name
        globex asks for its own: it is answered with acme's

    Holds:
        key = f"{tenant}:settings:{name}"
        acme changes its greeting
        globex asks for its own: it is answered with its own

    Source:
        https://cwe.mitre.org/data/definitions/349.html
    """
    attacker, victim = observation.first, observation.second

    def judged(key: str) -> Judgement:
        if key not in attacker.written or not attacker.marked(attacker.values.get(key, "")):
            return None
        if attacker.shown(victim.answers):
            return Breach(
                f"{victim.tenant} was answered with what {attacker.tenant}'s request had written "
                "into a key that both use"
            )
        return Unclear(
            f"{attacker.tenant} wrote into it what is its own, and {victim.tenant}'s requests "
            "touch it; they were not answered with it this time: put the tenant into its name"
        )

    yield from attempts(observation, attacker.tenant, attacker, victim, judged)
