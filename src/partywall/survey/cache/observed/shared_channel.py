"""PW613: what is one tenant's is published into a channel that another's goes into as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Unclear
from partywall.survey.cache.observation import surface
from partywall.survey.recorded import Record
from partywall.survey.trying import Attempt, Step, attack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.cache.observation import Observation
    from partywall.survey.trying import Outcome


@attack(
    "PW613",
    effect="read",
    fix="put the tenant into the name of the channel, so that whoever listens for one tenant "
    "hears no other's",
)
def shared_channel(observation: Observation) -> Iterator[Attempt[Record]]:
    """Look for channels into which the requests of both tenants publish what is their own.

    Whoever listens there, a server of WebSockets or a worker, has to part the messages again. Here
    it can't be seen whether that is done, so such a channel is undecided; the sockets' survey hears
    what tenants are sent.

    Affected:
        Applications that send events to browsers or workers through PUBLISH.

    Breaches:
        PUBLISH events '{"tenant": "globex", "text": …}'

    Holds:
        PUBLISH globex:events '{"text": …}'

    Source:
        https://redis.io/docs/latest/develop/pubsub/
    """
    victim, attacker = observation.first, observation.second
    for channel in sorted(victim.published.keys() & attacker.published.keys()):
        messages = "\n".join(victim.published[channel])
        if not victim.marked(messages):
            continue

        def judge(outcomes: Sequence[Outcome]) -> Judgement:
            del outcomes
            return Unclear(
                f"{victim.tenant} and {attacker.tenant} publish into one channel what is their "
                "own: put the tenant into its name, or part them where it is heard, and test that"
            )

        record = Record(f"PUBLISH {channel}", messages)
        at = surface(channel).replace("cache key", "cache channel")
        step = Step(victim.tenant, record)
        yield Attempt(at, attacker.tenant, victim.tenant, (step,), judge, (step,))
