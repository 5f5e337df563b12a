"""PW608: what the server tells of everybody: clients, logs, commands as they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Breach, Unclear
from partywall.survey.cache.calls import Call, plant, uproot
from partywall.survey.cache.filling import filled
from partywall.survey.cache.keyless import readable
from partywall.survey.trying import ADMINISTRATOR, CLOSED, Attempt, Step, attack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.cache.commands import Command
    from partywall.survey.cache.scene import Scene
    from partywall.survey.trying import Outcome

OPTIONS = {"CONFIG GET": ("*",), "COMMAND GETKEYS": ("GET", "a"), "ECHO": ("a",),
           "COMMAND GETKEYSANDFLAGS": ("GET", "a")}  # fmt: skip


@attack(
    "PW608",
    effect="read",
    fix="take from the login what looks at others: "
    "`ACL SETUSER acme -@admin -@dangerous -pubsub -function`",
)
def told_by_server(scene: Scene) -> Iterator[Attempt[Call]]:
    """Run every command that takes no key and only reads, and look for another tenant in it.

    MONITOR shows each command with its arguments as it runs; the list of clients their names and
    addresses; logs of slow and refused commands whose keys they were; PUBSUB which channels are
    heard. The victim meanwhile has a client by a name of its own, a channel, and refused commands.

    Affected:
        Whoever gives tenants logins with `+@all`, or `+@all -@dangerous` and no more.

    Breaches:
        ACL SETUSER acme +pubsub

    Holds:
        ACL SETUSER acme -@admin -@dangerous -pubsub

    Source:
        https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
    """
    for command in scene.commands:
        if readable(command) and command.name != "MONITOR":
            yield _attempt(scene, command)
        elif command.name == "MONITOR":
            yield _monitored(scene)


def _attempt(scene: Scene, command: Command) -> Attempt[Call]:
    victim, who = scene.victim, scene.attacker.owner
    words = (
        (*command.words, *OPTIONS[command.name])
        if command.name in OPTIONS
        else filled(command, lambda _: None, scene.given)
    )
    call = Call(words, apart=True)  # MULTI and its like turn the connection they are sent on
    login = scene.logins.get(victim.owner, "")

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        told = outcomes[-1]
        if victim.told(told.text):
            return Breach(f"{command.name} tells of {victim.owner}")
        if login not in {"", "default"} and f"user {login} " in told.text:
            return Breach(f"{command.name} tells of {victim.owner}'s login", "detect")
        if told.refused or command.harmless or command.words[-1] == "HELP":
            return None
        return Unclear(
            "the server lets a tenant's login run it, and nothing of another tenant was seen in "
            f"the answer this time: take it from the login (-{'|'.join(command.words).lower()}), "
            "or judge it yourself"
        )

    return Attempt(
        at=f"cache {command.name}",
        attacker=who,
        victim=victim.owner,
        steps=(*_alive(scene), Step(who, call)),
        judge=judge,
        control=(Step(victim.owner, call),),
        controlled=_permitted,
        after=(Step(ADMINISTRATOR, uproot(victim)),),
    )


def _alive(scene: Scene) -> tuple[Step[Call], ...]:
    """What the victim does meanwhile; where it may not, there is less to be seen."""
    victim = scene.victim
    calls = (
        Call(("CLIENT", "SETNAME", victim.canary)),
        Call(("SUBSCRIBE", victim.channel), apart=True),
        Call(("SET", victim.of["string"], victim.canary)),
        Call(("GET", f"refused-{victim.canary}")),
    )
    return tuple(Step(victim.owner, call, quiet=True) for call in calls)


def _monitored(scene: Scene) -> Attempt[Call]:
    victim = scene.victim

    def steps(who: str) -> tuple[Step[Call], ...]:
        return (
            Step(who, Call(("MONITOR",), apart=True), quiet=True),
            Step(ADMINISTRATOR, plant(victim), quiet=True),
            Step(victim.owner, Call(("GET", victim.of["string"]))),
            Step(who, Call(("MONITOR",), apart=True, heard=True)),
        )

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if victim.told(outcomes[-1].text):
            return Breach(f"MONITOR shows {victim.owner}'s commands with all that is in them")
        return None

    def controlled(outcomes: Sequence[Outcome]) -> str:
        if outcomes[0].refused:
            return CLOSED
        return "" if victim.told(outcomes[-1].text) else "the owner saw nothing either"

    return Attempt(
        at="cache MONITOR",
        attacker=scene.attacker.owner,
        victim=victim.owner,
        steps=steps(scene.attacker.owner),
        judge=judge,
        control=steps(victim.owner),
        controlled=controlled,
        after=(Step(ADMINISTRATOR, uproot(victim)),),
    )


def _permitted(outcomes: Sequence[Outcome]) -> str:
    """Where the owner isn't told anything either (no cluster, no MULTI) there is no wall."""
    return "" if outcomes[-1].ok else CLOSED
