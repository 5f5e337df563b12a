"""PW706: another tenant's workflow in Temporal is read, signalled or stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Breach, Unclear
from partywall.survey.jobs.executions import Operation
from partywall.survey.trying import ADMINISTRATOR, Attempt, Step, attack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Effect, Judgement
    from partywall.survey.jobs.executions import Execution, ExecutionScene, Verb
    from partywall.survey.trying import Judge, Outcome

READS: tuple[Verb, ...] = ("list", "describe", "history")
CHANGES: dict[Verb, Effect] = {"signal": "write", "cancel": "destroy", "terminate": "destroy"}


@attack(
    "PW706",
    effect="read",
    fix="give each tenant a namespace and a credential of its own (mTLS, an API key, or an "
    "authorizer with claims), so that the server refuses all others",
)
def execution_of_another(scene: ExecutionScene) -> Iterator[Attempt[Operation]]:
    """List, describe and read, signal, cancel and terminate another tenant's workflow.

    A workflow is known by its id within a namespace. A namespace parts nothing as long as whoever
    reaches the server may name any; histories hold every argument and result in full.

    Affected:
        Whoever lets tenants' code reach a Temporal server, or runs all tenants in one namespace.

    Breaches:
        the server asks nobody who they are

    Holds:
        globex's server asks for a certificate, and acme's isn't known there

    Source:
        https://docs.temporal.io/self-hosted-guide/security#authorization
    """
    victim = scene.victim
    for verb in READS:
        yield _attempt(scene, verb, "detect" if verb != "history" else "read", _shows(victim))
    for verb, effect in CHANGES.items():
        yield _attempt(scene, verb, effect, _changes(victim, verb, effect))


def _attempt(scene: ExecutionScene, verb: Verb, effect: Effect, judge: Judge) -> Attempt[Operation]:
    victim, who = scene.victim, scene.attacker.owner
    operation = victim.operation(verb, scene.attacker.canary)
    look = Step(ADMINISTRATOR, victim.operation("history"), quiet=True)
    return Attempt(
        at="jobs executions",
        attacker=who,
        victim=victim.owner,
        before=(Step(ADMINISTRATOR, victim.operation("start", victim.canary)),),
        steps=(look, Step(who, operation), look),
        judge=judge,
        control=(Step(victim.owner, operation),),
        controlled=_controlled,
        after=(Step(ADMINISTRATOR, victim.operation("terminate")),),
        way=verb,
        effect=effect,
    )


def _controlled(outcomes: Sequence[Outcome]) -> str:
    """An owner that isn't let in proves nothing, whoever else is not."""
    only = outcomes[0]
    return "" if only.ok else f"the rightful tenant could not do it either: {only.error}"


def _shows(victim: Execution) -> Judge:
    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if victim.canary in outcomes[1].text:
            return Breach(f"what {victim.owner}'s workflow was given came back", "read")
        if victim.workflow in outcomes[1].text:
            return Breach(f"{victim.owner}'s workflow was shown", "detect")
        return _refused(outcomes[1])

    return judge


def _changes(victim: Execution, verb: Verb, effect: Effect) -> Judge:
    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        before, done, after = outcomes
        if done.ok and before.ok and after.ok and before.text != after.text:
            return Breach(f"{victim.owner}'s workflow took a {verb} from another tenant", effect)
        return _refused(done)

    return judge


def _refused(outcome: Outcome) -> Judgement:
    return None if outcome.refused else Unclear(f"the server answered {outcome.told[:80]!r}")
