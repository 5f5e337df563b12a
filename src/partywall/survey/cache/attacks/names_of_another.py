"""PW602: the names of another tenant's keys, or how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Breach, Unclear
from partywall.survey.cache.calls import Call, plant, uproot
from partywall.survey.trying import ADMINISTRATOR, CLOSED, Attempt, Step, attack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.cache.scene import Keys, Scene
    from partywall.survey.trying import Judge, Outcome

MOST_KEYS = 100_000
"""KEYS and a SCAN in one go stop the server while they look: with more keys they are not run."""


@attack(
    "PW602",
    effect="detect",
    fix="take from the login what looks over all keys: "
    "`ACL SETUSER acme -keys -scan -randomkey -dbsize -client|tracking`",
)
def names_of_another(scene: Scene) -> Iterator[Attempt[Call]]:
    """List the names of another tenant's keys, hear of them, or count them.

    Patterns of keys bind commands that name a key. KEYS, SCAN, RANDOMKEY and DBSIZE name none, so
    they show everybody's names to whoever may run them; and so does tracking in broadcasting mode,
    which tells of every key that changes. Names hold ids, addresses, and what somebody looks at.

    Affected:
        Whoever gives tenants logins by patterns of keys and leaves them `+@read` or `+@keyspace`.

    Breaches:
        ACL SETUSER acme +scan

    Holds:
        ACL SETUSER acme -keys -scan -randomkey -dbsize -client|tracking

    Source:
        https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
    """
    pattern = f"*partywall-{scene.victim.run}-*"
    size = scene.size
    yield _attempt(scene, "KEYS", Call(("KEYS", pattern)), large=size > MOST_KEYS)
    scan = Call(("SCAN", "0", "MATCH", pattern, "COUNT", str(2 * size + 1000)))
    yield _attempt(scene, "SCAN", scan, large=size > MOST_KEYS)
    yield _attempt(scene, "RANDOMKEY", Call(("RANDOMKEY",)))
    yield _counting(scene)
    yield _tracking(scene)


def _attempt(scene: Scene, way: str, call: Call, *, large: bool = False) -> Attempt[Call]:
    victim, who = scene.victim, scene.attacker.owner
    asked = Call(("COMMAND", "COUNT")) if large else call
    return Attempt(
        at="cache names of keys",
        attacker=who,
        victim=victim.owner,
        before=(Step(ADMINISTRATOR, plant(victim)),),
        steps=(Step(who, asked),),
        judge=_listed(victim, large=large, way=way),
        control=(Step(victim.owner, asked),),
        controlled=_answered,
        after=(Step(ADMINISTRATOR, uproot(victim)),),
        way=way,
    )


def _listed(victim: Keys, *, large: bool, way: str) -> Judge:
    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if large:
            return Unclear(f"there are more than {MOST_KEYS} keys: {way} would stop the server")
        told = outcomes[0]
        if told.refused:
            return None
        if victim.told(told.text) or any(
            line.startswith(victim.prefix) for line in told.text.splitlines()
        ):
            return Breach(f"{way} shows the names of {victim.owner}'s keys")
        return Unclear(f"the server lets {way} look over everybody's keys: take it from the login")

    return judge


def _counting(scene: Scene) -> Attempt[Call]:
    victim, who = scene.victim, scene.attacker.owner
    count = Call(("DBSIZE",))

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        first, _, second = outcomes
        if first.refused:
            return None
        if first.ok and second.ok and int(second.text) > int(first.text):
            return Breach(f"DBSIZE counts {victim.owner}'s keys, and changes with them")
        return Unclear("the server lets DBSIZE count everybody's keys: take it from the login")

    return Attempt(
        at="cache number of keys",
        attacker=who,
        victim=victim.owner,
        steps=(Step(who, count), Step(ADMINISTRATOR, plant(victim), quiet=True), Step(who, count)),
        judge=judge,
        control=(Step(victim.owner, count),),
        controlled=_answered,
        after=(Step(ADMINISTRATOR, uproot(victim)),),
        way="DBSIZE",
    )


def _tracking(scene: Scene) -> Attempt[Call]:
    victim, who = scene.victim, scene.attacker.owner
    words = ("CLIENT", "TRACKING", "ON", "BCAST")

    def steps(listener: str) -> tuple[Step[Call], ...]:
        return (
            Step(listener, Call(words, apart=True), quiet=True),
            Step(ADMINISTRATOR, plant(victim), quiet=True),
            Step(listener, Call(words, apart=True, heard=True)),
        )

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if victim.told(outcomes[-1].text):
            return Breach(f"tracking tells the names of {victim.owner}'s keys as they change")
        return None

    def controlled(outcomes: Sequence[Outcome]) -> str:
        if outcomes[0].refused:
            return CLOSED
        return "" if victim.told(outcomes[-1].text) else "the owner heard nothing either"

    return Attempt(
        at="cache names of keys",
        attacker=who,
        victim=victim.owner,
        steps=steps(who),
        judge=judge,
        control=steps(victim.owner),
        controlled=controlled,
        after=(Step(ADMINISTRATOR, uproot(victim)),),
        way="CLIENT TRACKING",
    )


def _answered(outcomes: Sequence[Outcome]) -> str:
    return CLOSED if outcomes[-1].refused else ""
