"""PW601: another tenant's values come back from a plain read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Breach
from partywall.survey.cache import keyed
from partywall.survey.cache.calls import Call, plant, uproot
from partywall.survey.trying import ADMINISTRATOR, NOBODY, Attempt, Step, attack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.cache.scene import Filling, Scene
    from partywall.survey.trying import Judge, Outcome

WRITES = frozenset({"RW", "OW", "RM"})


@attack(
    "PW601",
    effect="read",
    fix="give each tenant a login of its own whose keys are its own: "
    "`ACL SETUSER acme on >… resetkeys ~acme:*`",
)
def values_of_another(scene: Scene) -> Iterator[Attempt[Call]]:
    """Read another tenant's keys by every command of the server that reads one.

    Strings, lists, hashes, sets, sorted sets, streams, places, and what modules bring: the server
    says itself which commands it has, and where among their arguments a key goes. A value that
    comes back is read; an answer that is another than for a key that isn't there tells that it is.
    Without any login the same is tried once.

    Affected:
        Whoever lets tenants' code reach a Redis with a login that all of them share, or with
        patterns of keys that reach further than the tenant's own.

    Breaches:
        ACL SETUSER acme ~*

    Holds:
        ACL SETUSER acme resetkeys ~acme:*

    Source:
        https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
    """

    def reads(filling: Filling, place: int) -> bool:
        return not (keyed.several(filling) or keyed.flags(filling, place) & WRITES)

    yield from keyed.attempts(scene, reads)
    victim = scene.victim
    read = Call(("GET", victim.of["string"]))
    yield Attempt(
        at="cache without a login",
        attacker=NOBODY,
        victim=victim.owner,
        before=(Step(ADMINISTRATOR, plant(victim)),),
        steps=(Step(NOBODY, read),),
        judge=_judge(victim.canary),
        control=(Step(victim.owner, read),),
        after=(Step(ADMINISTRATOR, uproot(victim)),),
        fix="let nobody in without a login: `ACL SETUSER default off`",
    )


def _judge(canary: str) -> Judge:
    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if canary in outcomes[0].text:
            return Breach("whoever reaches the server reads what it holds, without a login")
        return None

    return judge
