"""PW611: a key that one tenant's request filled answers another tenant's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Breach, Unclear
from partywall.survey.cache.judging import attempts, held
from partywall.survey.trying import attack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.attack import Judgement
    from partywall.survey.cache.observation import Observation
    from partywall.survey.recorded import Record
    from partywall.survey.trying import Attempt


@attack(
    "PW611",
    effect="read",
    fix="put the tenant into the name of the key (`acme:reports:weekly`), made in one place from "
    "the tenant context",
)
def key_without_tenant(observation: Observation) -> Iterator[Attempt[Record]]:
    """Let one tenant fill the cache, then ask the same as another, and see whose answer comes.

    The administrator watches (MONITOR) which keys each tenant's requests touch. A key that both
    touch, in which something of the first stands, has no tenant in its name. It is a breach when
    the second is answered with what is the first's, and undecided when that isn't seen.

    Affected:
        Applications that cache by the address, the function's arguments or an object's id alone.

    Breaches:
        key = f"notes:{page}"
        globex lists its notes, and the first page is kept by that name
        acme lists its own: it is answered with globex's

    Holds:
        key = f"{tenant}:notes:{page}"
        globex lists its notes
        acme lists its own: it is answered with its own

    Source:
        https://cwe.mitre.org/data/definitions/524.html
    """
    victim, attacker = observation.first, observation.second

    def judged(key: str) -> Judgement:
        if not victim.marked(victim.values.get(key, "")):
            return None
        if victim.shown(attacker.answers):
            return Breach(
                f"{attacker.tenant} was answered with what {victim.tenant}'s request had left in "
                "a key that both use"
            )
        return Unclear(
            f"{victim.tenant}'s data stands in it, and {attacker.tenant}'s requests touch it; "
            "they were not answered with it this time: put the tenant into the key's name"
        )

    yield from attempts(observation, attacker.tenant, victim, attacker, judged)
    yield from held(observation, attacker.tenant, victim.tenant)
