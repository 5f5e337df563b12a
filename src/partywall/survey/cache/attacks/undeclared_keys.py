"""PW606: a script or a function touches a key that it didn't declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Breach
from partywall.survey.cache.calls import Call, plant, uproot
from partywall.survey.trying import ADMINISTRATOR, CLOSED, Attempt, Step, attack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.cache.scene import Scene
    from partywall.survey.trying import Controlled, Judge, Outcome

READ = "return redis.call('GET', ARGV[1])"
CAUGHT = "local r = redis.pcall('GET', ARGV[1]); return r"
MADE = "return redis.call('G' .. 'ET', table.concat({ARGV[1], ARGV[2]}))"
WAYS = {"EVAL": READ, "EVAL with pcall": CAUGHT, "EVAL with a name put together": MADE}


@attack(
    "PW606",
    effect="read",
    fix="run Redis 7 or later, which checks keys when a script touches them, or take scripts from "
    "the login: `ACL SETUSER acme -@scripting`",
)
def undeclared_keys(scene: Scene) -> Iterator[Attempt[Call]]:
    """Read another tenant's key from a script that names it in its arguments, not among its keys.

    Redis asks scripts to declare their keys and doesn't make them. What a login may touch has to be
    checked when the key is touched.

    Affected:
        Whoever lets tenants' code run scripts or functions.

    Breaches:
        ACL SETUSER acme ~* +eval

    Holds:
        ACL SETUSER acme resetkeys ~acme:* +eval

    Source:
        https://redis.io/docs/latest/develop/programmability/eval-intro/
    """
    victim, attacker = scene.victim, scene.attacker
    name = victim.of["string"]
    calls = {way: Call(("EVAL", text, "0", name, "")) for way, text in WAYS.items()}
    calls["EVAL_RO"] = Call(("EVAL_RO", READ, "0", name))
    if "function" in scene.given:
        calls["FCALL"] = Call(("FCALL", scene.given["undeclared"], "0", name))
    for way, call in calls.items():
        yield Attempt(
            at="cache scripts",
            attacker=attacker.owner,
            victim=victim.owner,
            before=(Step(ADMINISTRATOR, plant(victim)),),
            steps=(Step(attacker.owner, call),),
            judge=_judge(victim.canary),
            control=(Step(victim.owner, call),),
            controlled=_controlled(victim.canary),
            after=(Step(ADMINISTRATOR, uproot(victim)),),
            way=way,
        )


def _judge(canary: str) -> Judge:
    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if canary in outcomes[0].told:
            return Breach("a script read a key of another tenant that it did not declare")
        return None

    return judge


def _controlled(canary: str) -> Controlled:
    def controlled(outcomes: Sequence[Outcome]) -> str:
        if canary in outcomes[0].text:
            return ""
        return CLOSED if outcomes[0].refused else f"the owner's answer was {outcomes[0].told!r}"

    return controlled
