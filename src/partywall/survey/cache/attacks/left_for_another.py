"""PW609: code that another tenant will run is read or replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Breach
from partywall.survey.cache.calls import Call
from partywall.survey.trying import ADMINISTRATOR, Attempt, Step, attack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.cache.scene import Keys, Scene
    from partywall.survey.trying import Judge, Outcome


@attack(
    "PW609",
    effect="escalate",
    fix="load functions as an administrator, and take that from the login: "
    "`ACL SETUSER acme -function`",
)
def left_for_another(scene: Scene) -> Iterator[Attempt[Call]]:
    """Replace a library of functions that another tenant calls, and list those that there are.

    Libraries belong to the server, not to a login: whoever may load one may replace any, and its
    code then runs with the rights of whoever calls it.

    Affected:
        Whoever uses functions of Redis 7, and gives tenants' logins `+@all` or `+@scripting`.

    Breaches:
        ACL SETUSER acme +function

    Holds:
        ACL SETUSER acme -function

    Source:
        https://redis.io/docs/latest/develop/programmability/functions-intro/
    """
    if not scene.library:
        return
    victim, attacker = scene.victim, scene.attacker
    load = ("FUNCTION", "LOAD", "REPLACE")

    def replaced(who: str, text: str) -> tuple[Step[Call], ...]:
        return (
            Step(who, Call((*load, _library(scene, text)))),
            Step(victim.owner, Call(("FCALL", scene.library, "0"))),
            Step(ADMINISTRATOR, Call(("FCALL", scene.library, "0")), quiet=True),
        )

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if attacker.canary in outcomes[1].text or attacker.canary in outcomes[2].text:
            return Breach(f"a function that {victim.owner} calls was replaced by another tenant")
        return None

    yield Attempt(
        at="cache functions",
        attacker=attacker.owner,
        victim=victim.owner,
        before=(Step(ADMINISTRATOR, Call((*load, _library(scene, victim.canary)))),),
        steps=replaced(attacker.owner, attacker.canary),
        judge=judge,
        control=replaced(victim.owner, victim.canary)[:1],
        after=_removed(scene),
        way="FUNCTION LOAD REPLACE",
    )
    for words in (("FUNCTION", "LIST", "WITHCODE"), ("FUNCTION", "DUMP")):
        yield Attempt(
            at="cache functions",
            attacker=attacker.owner,
            victim=victim.owner,
            effect="read",
            before=(Step(ADMINISTRATOR, Call((*load, _library(scene, victim.canary)))),),
            steps=(Step(attacker.owner, Call(words)),),
            judge=_shown(victim, " ".join(words[:2])),
            control=(Step(victim.owner, Call(words)),),
            after=_removed(scene),
            way=" ".join(words[:2]),
        )
    yield _deleted(scene)


def _deleted(scene: Scene) -> Attempt[Call]:
    victim, who = scene.victim, scene.attacker.owner
    delete = Call(("FUNCTION", "DELETE", scene.library))
    call = Call(("FCALL", scene.library, "0"))

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if outcomes[0].ok and not outcomes[1].ok:
            return Breach(f"a function that {victim.owner} calls was removed", "destroy")
        return None

    load = Call(("FUNCTION", "LOAD", "REPLACE", _library(scene, victim.canary)))
    return Attempt(
        at="cache functions",
        attacker=who,
        victim=victim.owner,
        effect="destroy",
        before=(Step(ADMINISTRATOR, load),),
        steps=(Step(who, delete), Step(ADMINISTRATOR, call)),
        judge=judge,
        control=(Step(victim.owner, delete),),
        after=_removed(scene),
        way="FUNCTION DELETE",
    )


def _shown(victim: Keys, name: str) -> Judge:
    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if victim.canary in outcomes[0].text:
            return Breach(f"{name} shows the code of functions that {victim.owner} calls")
        return None

    return judge


def _library(scene: Scene, text: str) -> str:
    name = scene.library
    body = f"redis.register_function('{name}', function() return '{text}' end)"
    return f"#!lua name={name}\n{body}"


def _removed(scene: Scene) -> tuple[Step[Call], ...]:
    return (Step(ADMINISTRATOR, Call(("FUNCTION", "DELETE", scene.library))),)
