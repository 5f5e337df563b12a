"""PW707: another tenant's job is shown or stopped by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Breach, Unclear
from partywall.survey.recorded import Record
from partywall.survey.trying import Attempt, Step, attack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.attack import Judgement
    from partywall.survey.driven import Driven
    from partywall.survey.jobs.ran import Asked, Ran
    from partywall.survey.trying import Controlled, Judge, Outcome

MISSING = frozenset({404, 405})
BROKEN = 500


@attack(
    "PW707",
    effect="read",
    fix="keep whose a job is beside its id, and look it up by both: an engine's own id says "
    "nothing about who may ask for it",
)
def job_by_id(ran: Ran) -> Iterator[Attempt[Record]]:
    """Ask for the state and the result of another tenant's job by its id, list jobs, cancel it.

    An endpoint that hands the id on to the engine (`AsyncResult(id)`, `retrieve_workflow(id)`,
    `get_workflow_handle(id)`) answers whoever has it. So does one that lists what the engine has.

    Affected:
        Applications that answer 202 with an id, by which the client asks again.

    Breaches:
        status = jobs.get(id)
        globex starts an export: 202, with its id
        acme asks for the export of that id: 200, with what globex exported

    Holds:
        status = jobs.get(id) if owners.get(id) == tenant else None
        globex starts an export: 202, with its id
        acme asks for the export of that id: 404

    Source:
        https://owasp.org/API-Security/editions/2023/en/0xa1-broken-object-level-authorization/
    """
    for one in ran.asked:
        steps = [
            Step(ran.victim.name, Record(one.owners.request, one.owners.text)),
            Step(ran.attacker.name, Record(one.attackers.request, one.attackers.text)),
        ]
        if one.after is not None:
            steps.append(Step(ran.victim.name, Record(one.after.request, one.after.text)))
        own = one.allowed or one.owners
        control = (Step(ran.victim.name, Record(own.request, own.text)),)
        yield Attempt(
            f"jobs {one.at}", ran.attacker.name, ran.victim.name, tuple(steps),
            _judge(ran, one), control, _controlled(ran, one),
            way=one.way if one.way == "list" else "",
            effect="destroy" if one.way == "cancel" else None,
        )  # fmt: skip


def _judge(ran: Ran, one: Asked) -> Judge:
    owner, attacker = ran.victim, ran.attacker.name

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        del outcomes
        answer = one.attackers
        if one.way == "cancel":
            told = one.after.text.lower() if one.after else ""
            if answer.ok and "cancel" in told and "cancel" not in one.owners.text.lower():
                return Breach(f"{attacker} stopped {owner.name}'s job", "destroy")
        elif owner.marks(answer.text):
            return Breach(f"{attacker} was shown what is in {owner.name}'s job", "read")
        if one.nobodys is None or not answer.ok:
            return None
        if not one.nobodys.ok:
            return Breach(
                f"{attacker} was answered about {owner.name}'s job, and not about one that nobody "
                "has",
                "detect",
            )
        return Unclear("it answers the same for an id that nobody has: what it did wasn't seen")

    return judge


def _controlled(ran: Ran, one: Asked) -> Controlled:
    def controlled(outcomes: Sequence[Outcome]) -> str:
        del outcomes
        if one.way == "list":
            shown = ran.victim.marks(one.owners.text)
            return "" if shown else "its owner's own list shows nothing of its jobs either"
        if one.allowed is not None:
            return _let_through(one.allowed, one.attackers)
        return "" if one.owners.ok else f"its owner was answered {one.owners.status} as well"

    return controlled


def _let_through(owners: Driven, attackers: Driven) -> str:
    """Why the owner's own request proves nothing; a job may have ended before it can be stopped."""
    taken = 0 < owners.status < BROKEN and owners.status not in MISSING
    if taken and owners.status != attackers.status:
        return ""
    return f"its owner was answered {owners.status} as well"
