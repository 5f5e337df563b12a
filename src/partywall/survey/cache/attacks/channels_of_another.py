"""PW607: another tenant's messages are heard, or messages are sent to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Breach, Unclear
from partywall.survey.cache.calls import Call
from partywall.survey.trying import CLOSED, Attempt, Step, attack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.cache.scene import Scene
    from partywall.survey.trying import Controlled, Judge, Outcome


@attack(
    "PW607",
    effect="read",
    fix="bind the login to its own channels: `ACL SETUSER acme resetchannels &acme:*`",
)
def channels_of_another(scene: Scene) -> Iterator[Attempt[Call]]:
    """Subscribe to another tenant's channel by its name and by patterns, and publish into it.

    Channels are no keys: patterns of keys don't bind them, and before Redis 7 a new login may use
    all of them. What is published is a message that the victim takes for its own.

    Affected:
        Whoever sends events through PUBLISH, or has servers of WebSockets that do.

    Breaches:
        ACL SETUSER acme allchannels

    Holds:
        ACL SETUSER acme resetchannels &acme:*

    Source:
        https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
    """
    channel, every = scene.victim.channel, f"{scene.victim.channels}*"
    yield _hearing(scene, ("SUBSCRIBE", channel), "PUBLISH")
    yield _hearing(scene, ("PSUBSCRIBE", every), "PUBLISH")
    yield _hearing(scene, ("PSUBSCRIBE", "*"), "PUBLISH")
    yield _hearing(scene, ("SSUBSCRIBE", channel), "SPUBLISH")
    yield _speaking(scene, "SUBSCRIBE", "PUBLISH")
    yield _speaking(scene, "SSUBSCRIBE", "SPUBLISH")
    yield _notified(scene)


def _hearing(scene: Scene, subscribe: tuple[str, str], publish: str) -> Attempt[Call]:
    victim, who = scene.victim, scene.attacker.owner
    said = Call((publish, victim.channel, victim.canary))
    own = (subscribe[0], victim.channel)
    return Attempt(
        at="cache channels",
        attacker=who,
        victim=victim.owner,
        steps=(
            Step(who, Call(subscribe, apart=True), quiet=True),
            Step(victim.owner, said),
            Step(who, Call(subscribe, apart=True, heard=True)),
        ),
        judge=_hears(victim.canary, f"what {victim.owner} published was heard by another tenant"),
        control=(
            Step(victim.owner, Call(own, apart=True)),
            Step(victim.owner, said),
            Step(victim.owner, Call(own, apart=True, heard=True)),
        ),
        controlled=_heard(victim.canary),
        way=" ".join(subscribe) if subscribe[1] == "*" else subscribe[0],
    )


def _speaking(scene: Scene, subscribe: str, publish: str) -> Attempt[Call]:
    victim, attacker = scene.victim, scene.attacker
    listen = Call((subscribe, victim.channel), apart=True)
    heard = Call((subscribe, victim.channel), apart=True, heard=True)

    def said(who: str, text: str) -> tuple[Step[Call], ...]:
        return (
            Step(victim.owner, listen, quiet=True),
            Step(who, Call((publish, victim.channel, text))),
            Step(victim.owner, heard),
        )

    return Attempt(
        at="cache channels",
        attacker=attacker.owner,
        victim=victim.owner,
        effect="write",
        steps=said(attacker.owner, attacker.canary),
        judge=_hears(attacker.canary, f"{victim.owner} heard what another tenant published"),
        control=said(victim.owner, victim.canary),
        controlled=_heard(victim.canary),
        way=publish,
    )


def _notified(scene: Scene) -> Attempt[Call]:
    """Notifications of the server itself about every key that changes."""
    victim, who = scene.victim, scene.attacker.owner
    every = ("PSUBSCRIBE", "__key*__:*")

    def steps(listener: str) -> tuple[Step[Call], ...]:
        return (
            Step(listener, Call(every, apart=True), quiet=True),
            Step(victim.owner, Call(("SET", victim.of["string"], victim.canary))),
            Step(victim.owner, Call(("DEL", victim.of["string"])), quiet=True),
            Step(listener, Call(every, apart=True, heard=True)),
        )

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if victim.told(outcomes[-1].text):
            return Breach(f"the server told the names of {victim.owner}'s keys", "detect")
        if outcomes[0].refused:
            return None
        return Unclear(
            "the login may hear the server's notifications, which tell the names of everybody's "
            "keys as soon as notify-keyspace-events is set: bind its channels"
        )

    def controlled(outcomes: Sequence[Outcome]) -> str:
        """Nobody needs them: where the owner may not either, they are closed to all."""
        return CLOSED if outcomes[0].refused else ""

    return Attempt(
        at="cache channels",
        attacker=who,
        victim=victim.owner,
        steps=steps(who),
        judge=judge,
        control=steps(victim.owner),
        controlled=controlled,
        way="PSUBSCRIBE __key*__:*",
    )


def _hears(canary: str, because: str) -> Judge:
    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        return Breach(because) if canary in outcomes[-1].text else None

    return judge


def _heard(canary: str) -> Controlled:
    def controlled(outcomes: Sequence[Outcome]) -> str:
        if any(one.refused for one in outcomes):
            return CLOSED
        heard = canary in outcomes[-1].text
        return "" if heard else f"the owner did not hear it either: {outcomes[-1].told!r}"

    return controlled
